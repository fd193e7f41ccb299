// Casts and stochastic rounding. They give the bits of JavaKernels: compile without contraction (--fmad=false --ftz=false).
#include "random.h"

KERNEL(THREADS, toBFloat16, const float* source, uint16_t* target, int64_t length) {
    const int shift = shiftOf(target);
    eachOctet(length, shift, areAligned(source - shift, target - shift), [&](int64_t i, auto octet) {
        float x[OCTET];
        octet.load(source + i, x);
        store(octet, target + i, x);
    });
}

/// Half an octet a thread, so that neighbouring threads store neighbouring 16 bytes.
KERNEL(THREADS, toFloat, const uint16_t* source, float* target, int64_t length) {
    static const int HALF = OCTET / 2;
    const int shift = shiftOf(target) % HALF;
    const bool aligned = (uintptr_t) (source - shift) % (HALF * sizeof(uint16_t)) == 0;
    for (int64_t first = threadIndex() * HALF - shift; first < length; first += threads() * HALF) {
        if (aligned && first >= 0 && first + HALF <= length) {
            const uint2 pairs = *(const uint2*) (source + first);
            *(uint4*) (target + first) = make_uint4(
                    pairs.x << 16, pairs.x & 0xFFFF0000u, pairs.y << 16, pairs.y & 0xFFFF0000u);
            continue;
        }
        for (int64_t i = first < 0 ? 0 : first; i < first + HALF && i < length; i++) {
            target[i] = load(source + i);
        }
    }
}

template <class T>
DEVICE void accumulate(const T* x, float factor, int first, float* sums, int64_t length) {
    const int shift = shiftOf(sums);
    eachOctet(length, shift, areAligned(x - shift, sums - shift), [&](int64_t i, auto octet) {
        float values[OCTET], sum[OCTET] = {};
        octet.load(x + i, values);
        if (!first) {
            octet.load(sums + i, sum);
        }
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            const float value = values[k] * factor;
            values[k] = first ? value : sum[k] + value;
        }
        store(octet, sums + i, values);
    });
}

KERNEL(THREADS, accumulate_float, const float* x, float factor, int first, float* sums, int64_t length) {
    accumulate(x, factor, first, sums, length);
}

KERNEL(THREADS, accumulate_bfloat16, const uint16_t* x, float factor, int first, float* sums, int64_t length) {
    accumulate(x, factor, first, sums, length);
}

template <class T>
DEVICE void mean(const float* sums, int count, T* mean, int64_t length) {
    const int shift = shiftOf(sums);
    eachOctet(length, shift, areAligned(sums - shift, mean - shift), [&](int64_t i, auto octet) {
        float x[OCTET];
        octet.load(sums + i, x);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            x[k] /= (float) count;
        }
        store(octet, mean + i, x);
    });
}

KERNEL(THREADS, mean_float, const float* sums, int count, float* mean_, int64_t length) {
    mean(sums, count, mean_, length);
}

KERNEL(THREADS, mean_bfloat16, const float* sums, int count, uint16_t* mean_, int64_t length) {
    mean(sums, count, mean_, length);
}

KERNEL(THREADS, stochasticRound, const float* source, uint16_t* target, int64_t length, int64_t seed, int step,
       int64_t element) {
    const PhiloxKeys keys(seed);
    const int shift = (int) (element % OCTET);
    eachOctet(length, shift, areAligned(source - shift, target - shift), [&](int64_t i, auto octet) {
        float x[OCTET];
        U random[OCTET], rounded[OCTET];
        octet.load(source + i, x);
        randomWords(keys, step, element + i, random);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            rounded[k] = stochastic(x[k], random[k] & 0xFFFFu);
        }
        octet.storeBits(target + i, rounded);
    });
}

template <class Update>
DEVICE void stochasticSubtract(
        uint16_t* weights, const Update* update, int64_t length, int64_t seed, int step, int64_t element) {
    const PhiloxKeys keys(seed);
    const int shift = (int) (element % OCTET);
    eachOctet(length, shift, areAligned(weights - shift, update - shift), [&](int64_t i, auto octet) {
        float p[OCTET], u[OCTET];
        U random[OCTET], rounded[OCTET];
        octet.load(weights + i, p);
        octet.load(update + i, u);
        randomWords(keys, step, element + i, random);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            rounded[k] = stochastic(p[k] - u[k], random[k] & 0xFFFFu);
        }
        octet.storeBits(weights + i, rounded);
    });
}

KERNEL(THREADS, stochasticSubtract_float, uint16_t* weights, const float* update, int64_t length, int64_t seed,
       int step, int64_t element) {
    stochasticSubtract(weights, update, length, seed, step, element);
}

KERNEL(THREADS, stochasticSubtract_bfloat16, uint16_t* weights, const uint16_t* update, int64_t length, int64_t seed,
       int step, int64_t element) {
    stochasticSubtract(weights, update, length, seed, step, element);
}
