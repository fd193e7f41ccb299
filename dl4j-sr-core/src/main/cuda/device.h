// What all kernels share: types, access to eight neighbouring values at once, and sums over a warp and a block.
// Compiled by NVRTC or nvcc; the tests compile it with g++ over an emulation of CUDA's built-in names. The sizes in
// capitals are definitions of the compiler's command line: org.dl4jsr.kernel.cuda.KernelConstant. Kernels that promise a
// bound, not bits, take sums in FP32 and a fixed order, without atomics, so that the same bits come out each time.
#pragma once

#ifdef __CUDACC_RTC__
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
typedef unsigned long long uintptr_t;
#define INFINITY __int_as_float(0x7F800000)
#else
#include <math.h>
#include <stdint.h>
#endif

#ifdef __CUDACC__
#define DEVICE static __device__ __forceinline__
#define METHOD __device__ __forceinline__
/// A kernel for blocks of so many threads.
#define KERNEL(threads, name, ...) extern "C" __global__ void __launch_bounds__(threads) name(__VA_ARGS__)
/// As KERNEL, with as few registers as it takes for so many blocks to run at once on a multiprocessor.
#define RESIDENT_KERNEL(threads, blocks, name, ...) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(__VA_ARGS__)
#define DYNAMIC_SHARED_MEMORY(name) extern __shared__ __align__(16) char name[]
#define UNROLLED _Pragma("unroll")
#define NOT_UNROLLED _Pragma("unroll 1")
#define UNROLLED_BY_4 _Pragma("unroll 4")
#define UNROLLED_BY_8 _Pragma("unroll 8")
#define UNROLLED_BY_16 _Pragma("unroll 16")

/// The 64-bit product; by the instruction, since the compiler adds its halves up.
DEVICE uint64_t multiplyWide(uint32_t a, uint32_t b) {
    uint64_t product;
    asm("mul.wide.u32 %0, %1, %2;" : "=l"(product) : "r"(a), "r"(b));
    return product;
}

#if __CUDA_ARCH__ >= 800
/// sums += left * right on a tensor core; see mma.m16n8k16 of the PTX ISA for which lane holds what.
DEVICE void tensorMultiplyAdd(float (&sums)[4], const uint32_t (&left)[4], const uint32_t (&right)[2]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9},"
        " {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right[0]), "r"(right[1]));
}

/// Four matrices of 8 x 8 values in shared memory; eight lanes each have the addresses of a matrix's rows.
DEVICE void loadMatrices(const uint16_t* row, uint32_t (&words)[4]) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"((uint32_t) __cvta_generic_to_shared(row)) : "memory");
}

/// As loadMatrices, each transposed.
DEVICE void loadTransposed(const uint16_t* row, uint32_t (&words)[4]) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"((uint32_t) __cvta_generic_to_shared(row)) : "memory");
}

/// Begins to copy 16 bytes to shared memory, or zeros if the source is not real.
DEVICE void copyAsync(uint16_t* target, const uint16_t* source, bool real) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"
                 :: "r"((uint32_t) __cvta_generic_to_shared(target)), "l"(source), "r"(real ? 16 : 0) : "memory");
}

/// As above, of one FP32 value.
DEVICE void copyAsync(float* target, const float* source, bool real) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;"
                 :: "r"((uint32_t) __cvta_generic_to_shared(target)), "l"(source), "r"(real ? 4 : 0) : "memory");
}

/// Waits for the copies that this thread has begun.
DEVICE void waitForCopies() { asm volatile("cp.async.wait_all;" ::: "memory"); }

/// Ends a group of copies that this thread has begun.
DEVICE void endCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/// Waits for this thread's groups but the last N.
template <int N>
DEVICE void waitForCopiesBut() { asm volatile("cp.async.wait_group %0;" :: "n"(N) : "memory"); }

/// Two BF16 values, rounded to nearest; NaN is 0x7FFF.
DEVICE uint32_t packNearest(float low, float high) {
    uint32_t both;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
}
#else
DEVICE void copyAsync(uint16_t* target, const uint16_t* source, bool) { *(uint4*) target = *(const uint4*) source; }
DEVICE void endCopies() {}
template <int N>
DEVICE void waitForCopiesBut() {}
#endif

/// Brings the line at this address into the L2 cache.
DEVICE void prefetch(const void* address) { asm volatile("prefetch.global.L2 [%0];" :: "l"(address)); }

/// 2^x to two units in the last place; zero where it is not normal.
DEVICE float approximatePower2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

/// 1 / x and 1 / sqrt(x) of a normal x, to about one unit in the last place.
DEVICE float approximateReciprocal(float x) {
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

DEVICE float approximateReciprocalRoot(float x) {
    float y;
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
#endif

#include "types.h"

typedef float F;
typedef uint32_t U;
typedef uint64_t W;
#define LANES_FUNCTION DEVICE
#define LANES_METHOD METHOD

DEVICE U bits(F x) { return __float_as_uint(x); }
DEVICE F value(U u) { return __uint_as_float(u); }
DEVICE F squareRoot(F x) { return __fsqrt_rn(x); }
DEVICE W multiplyLow32(W a, W b) { return multiplyWide((U) a, (U) b); }
DEVICE W upperHalves(W x) { return x >> 32; }
DEVICE W exclusiveOr(W a, W b, W c) { return a ^ b ^ c; }
DEVICE bool allBelow(U x, U limit) { return x < limit; }

#include "rounding.h"

static constexpr float LOG2_E = 1.442695041f;

/// Of a block of THREADS.
static const int WARPS = THREADS / WARP;

DEVICE int64_t threadIndex() { return blockIdx.x * (int64_t) blockDim.x + threadIdx.x; }
DEVICE int64_t threads() { return gridDim.x * (int64_t) blockDim.x; }
DEVICE int warpRow() { return (int) (threadIndex() / WARP); }
DEVICE int lane() { return threadIdx.x % WARP; }

DEVICE float load(const float* source) { return *source; }
DEVICE float load(const uint16_t* source) { return value((U) *source << 16); }

/// Stores bits of FP32, or of BF16 in the upper half.
DEVICE void storeBits(float* target, U b) { *target = value(b); }
DEVICE void storeBits(uint16_t* target, U b) { *target = (uint16_t) (b >> 16); }

/// Rounds to nearest.
DEVICE void store(float* target, float x) { *target = x; }
DEVICE void store(uint16_t* target, float x) { storeBits(target, nearest(x)); }

/// The upper halves of both.
DEVICE U packUpper(U low, U high) { return low >> 16 | (high & 0xFFFF0000u); }

/// Eight neighbours at a 16-byte boundary as memory has them: until they are unpacked nobody waits for them.
template <class T>
struct Packed;

template <>
struct Packed<float> {
    float4 low, high;

    METHOD void load(const float* source) {
        low = *(const float4*) source;
        high = *(const float4*) (source + 4);
    }

    METHOD void unpack(float (&x)[OCTET]) const {
        x[0] = low.x; x[1] = low.y; x[2] = low.z; x[3] = low.w;
        x[4] = high.x; x[5] = high.y; x[6] = high.z; x[7] = high.w;
    }

    METHOD void pack(const float (&x)[OCTET]) {
        low = {x[0], x[1], x[2], x[3]};
        high = {x[4], x[5], x[6], x[7]};
    }
};

template <>
struct Packed<uint16_t> {
    uint4 pairs;

    METHOD void load(const uint16_t* source) { pairs = *(const uint4*) source; }

    METHOD void unpack(float (&x)[OCTET]) const {
        const U words[] = {pairs.x, pairs.y, pairs.z, pairs.w};
        UNROLLED
        for (int k = 0; k < OCTET / 2; k++) {
            x[2 * k] = value(words[k] << 16);
            x[2 * k + 1] = value(words[k] & 0xFFFF0000u);
        }
    }

    /// Of BF16 values.
    METHOD void pack(const float (&x)[OCTET]) {
        pairs = make_uint4(packUpper(bits(x[0]), bits(x[1])), packUpper(bits(x[2]), bits(x[3])),
                           packUpper(bits(x[4]), bits(x[5])), packUpper(bits(x[6]), bits(x[7])));
    }
};

/// Eight neighbours at a 16-byte boundary.
struct Whole {
    static const int N = OCTET;

    METHOD bool has(int) const { return true; }

    template <class T>
    METHOD void load(const T* source, float (&x)[OCTET]) const {
        Packed<T> packed;
        packed.load(source);
        packed.unpack(x);
    }

    METHOD void storeBits(float* target, const U (&b)[OCTET]) const {
        *(uint4*) target = make_uint4(b[0], b[1], b[2], b[3]);
        *(uint4*) (target + 4) = make_uint4(b[4], b[5], b[6], b[7]);
    }

    METHOD void storeBits(uint16_t* target, const U (&b)[OCTET]) const {
        *(uint4*) target = make_uint4(
                packUpper(b[0], b[1]), packUpper(b[2], b[3]), packUpper(b[4], b[5]), packUpper(b[6], b[7]));
    }
};

/// Those of eight neighbours, at any address, that lie in [begin, end); the others are zero.
struct Part {
    static const int N = OCTET;

    int begin, end;

    METHOD bool has(int k) const { return begin <= k && k < end; }

    template <class T>
    METHOD void load(const T* source, float (&x)[OCTET]) const {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            x[k] = has(k) ? ::load(source + k) : 0;
        }
    }

    template <class T>
    METHOD void storeBits(T* target, const U (&b)[OCTET]) const {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            if (has(k)) {
                ::storeBits(target + k, b[k]);
            }
        }
    }
};

/// Loads an octet that is used later.
template <class T>
DEVICE void load(Whole, const T* source, Packed<T>& packed) { packed.load(source); }

template <class T>
DEVICE void load(Part part, const T* source, Packed<T>& packed) {
    float x[OCTET];
    part.load(source, x);
    packed.pack(x);
}

/// Rounds to nearest.
template <class Octet>
DEVICE void store(Octet octet, float* target, const float (&x)[OCTET]) {
    U b[OCTET];
    UNROLLED
    for (int k = 0; k < OCTET; k++) {
        b[k] = bits(x[k]);
    }
    octet.storeBits(target, b);
}

template <class Octet>
DEVICE void store(Octet octet, uint16_t* target, const float (&x)[OCTET]) {
    U b[OCTET];
    UNROLLED
    for (int k = 0; k < OCTET; k++) {
        b[k] = nearest(x[k]);
    }
    octet.storeBits(target, b);
}

/// As `nearest` of both, by one instruction where there is one.
DEVICE U nearestPair(float low, float high) {
#if defined(__CUDACC__) && __CUDA_ARCH__ < 800
    return packUpper(nearest(low), nearest(high));
#else
    const U both = packNearest(low, high);
    const U nans = (both + 0x00010001u) & ~both & 0x80008000u; // 0x7FFF alone becomes negative
    return both - (nans >> 15) * 0x3Fu;
#endif
}

DEVICE void store(Whole, uint16_t* target, const float (&x)[OCTET]) {
    *(uint4*) target = make_uint4(
            nearestPair(x[0], x[1]), nearestPair(x[2], x[3]), nearestPair(x[4], x[5]), nearestPair(x[6], x[7]));
}

/// Whether octets of these arrays lie at 16-byte boundaries.
DEVICE bool areAligned() { return true; }

template <class T, class... Rest>
DEVICE bool areAligned(const T* array, const Rest*... rest) {
    return (uintptr_t) array % 16 == 0 && areAligned(rest...);
}

/// Calls body(first, Whole or Part) for the octets of [0, length), all threads of the grid together. Octets start
/// where index + shift is a multiple of eight, so first may be negative.
template <class Body>
DEVICE void eachOctet(int64_t length, int shift, bool aligned, Body body) {
    const int64_t octets = (length + shift + OCTET - 1) / OCTET, wholes = aligned ? (length + shift) / OCTET : 0;
    auto isWhole = [&](int64_t octet) { return octet < wholes && (octet > 0 || shift == 0); };
    int64_t octet = threadIndex();
    for (; octet < wholes; octet += threads()) { // without those that are cut, which would need more registers
        if (isWhole(octet)) {
            body(octet * OCTET - shift, Whole());
        }
    }
    octet = threadIndex() == 0 ? 0 : octet; // the first may be cut
    for (; octet < octets; octet += threads()) {
        if (!isWhole(octet)) {
            const int64_t first = octet * OCTET - shift, rest = length - first;
            body(first, Part{first < 0 ? (int) -first : 0, rest < OCTET ? (int) rest : OCTET});
        }
    }
}

/// By how much octets must be shifted to start at 16-byte boundaries of the array.
template <class T>
DEVICE int shiftOf(const T* array) { return (int) ((uintptr_t) array / sizeof(T) % OCTET); }

/// Calls body(first, Whole or Part) for the octet of a row that begins here, if there is one.
template <class Body>
DEVICE void rowOctet(int width, bool aligned, int first, Body body) {
    if (aligned && first + OCTET <= width) {
        body(first, Whole());
    } else if (first < width) {
        body(first, Part{0, width - first < OCTET ? width - first : OCTET});
    }
}

/// Calls body(first, Whole or Part) for every step-th octet of a row from the given one on.
template <class Body>
DEVICE void rowOctets(int width, bool aligned, int octet, int step, Body body) {
    for (int first = octet * OCTET; first < width; first += step * OCTET) {
        rowOctet(width, aligned, first, body);
    }
}

/// The sum over the warp, in every lane.
DEVICE float warpSum(float x) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        x += __shfl_xor_sync(0xFFFFFFFFu, x, distance);
    }
    return x;
}
