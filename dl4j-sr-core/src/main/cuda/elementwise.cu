// Elementwise functions of BF16 arrays of any strides, 0 to broadcast: FP32 inside, rounded once. And copies.
#include "loops.h"
#include "arithmetic.h"

template <class Operation>
DEVICE void arithmetic(const Loops<3>& loops, const uint16_t* a, const uint16_t* b, uint16_t* c) {
    eachRun<OCTET>(loops, [&](const int64_t (&at)[3], int count) {
        float x[OCTET], y[OCTET];
        loadRun(a + at[0], loops.step(0), count, x);
        loadRun(b + at[1], loops.step(1), count, y);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            x[k] = Operation::of(x[k], y[k]);
        }
        storeRun(c + at[2], loops.step(2), count, x);
    });
}

template <class Operation>
DEVICE void arithmetic(const Loops<2>& loops, const uint16_t* a, float b, uint16_t* c) {
    eachRun<OCTET>(loops, [&](const int64_t (&at)[2], int count) {
        float x[OCTET];
        loadRun(a + at[0], loops.step(0), count, x);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            x[k] = Operation::of(x[k], b);
        }
        storeRun(c + at[1], loops.step(1), count, x);
    });
}

/// The kernels of an operation: on two arrays, and on an array and a number.
#define OPERATION(NAME, RESULT) \
    struct NAME { \
        template <class Value> \
        METHOD static Value of(Value a, Value b) { return RESULT; } \
    }; \
    KERNEL(THREADS, arithmetic_##NAME, Loops<3> loops, const uint16_t* a, const uint16_t* b, uint16_t* c) { \
        arithmetic<NAME>(loops, a, b, c); \
    } \
    KERNEL(THREADS, arithmeticByNumber_##NAME, Loops<2> loops, const uint16_t* a, float b, uint16_t* c) { \
        arithmetic<NAME>(loops, a, b, c); \
    }

ARITHMETIC(OPERATION)

/// y = table[x], x being taken as 16 bits.
KERNEL(THREADS, lookUp, Loops<2> loops, const uint16_t* table, const uint16_t* x, uint16_t* y) {
    eachRun<OCTET>(loops, [&](const int64_t (&at)[2], int count) {
        float in[OCTET];
        U out[OCTET];
        loadRun(x + at[0], loops.step(0), count, in);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            out[k] = (U) table[bits(in[k]) >> 16] << 16;
        }
        storeRunBits(y + at[1], loops.step(1), count, out);
    });
}

/// dx = dy * table[x]; a gate is shut, whatever dy is, where the table's value is 0.
KERNEL(THREADS, multiplyLookUp, Loops<3> loops, const float* table, int gate, const uint16_t* x, const uint16_t* dy,
       uint16_t* dx) {
    eachRun<OCTET>(loops, [&](const int64_t (&at)[3], int count) {
        float in[OCTET], gradient[OCTET];
        loadRun(x + at[0], loops.step(0), count, in);
        loadRun(dy + at[1], loops.step(1), count, gradient);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            const float slope = table[bits(in[k]) >> 16];
            gradient[k] = gate && slope == 0 ? 0 : gradient[k] * slope;
        }
        storeRun(dx + at[2], loops.step(2), count, gradient);
    });
}

/// The bits to store of FP32 that has been loaded from an array of type S.
template <class S>
DEVICE U converted(float x, const S*, const S*) { return bits(x); }
DEVICE U converted(float x, const float*, const uint16_t*) { return nearest(x); }
DEVICE U converted(float x, const uint16_t*, const float*) { return bits(x); }

template <class S, class T>
DEVICE void copyElements(const Loops<2>& loops, const S* source, T* target) {
    eachRun<OCTET>(loops, [&](const int64_t (&at)[2], int count) {
        float x[OCTET];
        U b[OCTET];
        loadRun(source + at[0], loops.step(0), count, x);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            b[k] = converted(x[k], source, target);
        }
        storeRunBits(target + at[1], loops.step(1), count, b);
    });
}

/// As copyElements, where the source's neighbours lie along the last loop but one: by tiles in shared memory, a block a
/// tile, the tiles of the last loop first.
template <class S, class T>
DEVICE void copyTransposed(const Loops<2>& loops, const S* source, T* target) {
    __shared__ U tile[WARP][WARP + 1];
    const int64_t rows = loops.sizes[LOOPS - 2], columns = loops.sizes[LOOPS - 1];
    const int64_t acrossTiles = (columns + WARP - 1) / WARP, downTiles = (rows + WARP - 1) / WARP;
    int64_t rest = blockIdx.x / acrossTiles;
    const int64_t column = (blockIdx.x - rest * acrossTiles) * WARP, row = rest % downTiles * WARP;
    rest /= downTiles;
    UNROLLED
    for (int d = LOOPS - 3; d >= 0; d--) {
        const int64_t index = rest % loops.sizes[d];
        rest /= loops.sizes[d];
        source += index * loops.steps[0][d];
        target += index * loops.steps[1][d];
    }
    for (int i = threadIdx.x / WARP; i < WARP; i += WARPS) {
        if (column + i < columns && row + lane() < rows) {
            const float x = load(source + (column + i) * loops.step(0) + (row + lane()) * loops.steps[0][LOOPS - 2]);
            tile[i][lane()] = converted(x, source, target);
        }
    }
    __syncthreads();
    for (int i = threadIdx.x / WARP; i < WARP; i += WARPS) {
        if (row + i < rows && column + lane() < columns) {
            storeBits(target + (row + i) * loops.steps[1][LOOPS - 2] + (column + lane()) * loops.step(1),
                      tile[lane()][i]);
        }
    }
}

#define COPY(suffix, S, T) \
    KERNEL(THREADS, copyElements_##suffix, Loops<2> loops, const S* source, T* target) { \
        copyElements(loops, source, target); \
    } \
    KERNEL(THREADS, copyTransposed_##suffix, Loops<2> loops, const S* source, T* target) { \
        copyTransposed(loops, source, target); \
    }

COPY(float_float, float, float)
COPY(float_bfloat16, float, uint16_t)
COPY(bfloat16_float, uint16_t, float)
COPY(bfloat16_bfloat16, uint16_t, uint16_t)
