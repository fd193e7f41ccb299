// CUDA's built-in names for g++, enough for the kernels of src/main/cuda: the threads of a block are fibers of one
// processor thread, which change at barriers and at exchanges within a warp. Include before any kernel (g++ -include).
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <type_traits>
#include <utility>

#define DEVICE static inline
#define METHOD inline
#define UNROLLED
#define NOT_UNROLLED
#define UNROLLED_BY_4
#define UNROLLED_BY_8
#define UNROLLED_BY_16
#define __shared__ static /* blocks run one after another */
#define DYNAMIC_SHARED_MEMORY(name) char* const name = host::dynamicSharedMemory

struct Index {
    unsigned x, y, z;
};
extern Index threadIdx, blockIdx, blockDim, gridDim;

struct alignas(8) float2 {
    float x, y;
};
struct alignas(8) uint2 {
    uint32_t x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};
static inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) { return {x, y, z, w}; }

static inline uint32_t __float_as_uint(float x) {
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static inline float __uint_as_float(uint32_t b) {
    float x;
    memcpy(&x, &b, sizeof x);
    return x;
}

static inline float __fsqrt_rn(float x) { return sqrtf(x); }
static inline uint64_t multiplyWide(uint32_t a, uint32_t b) { return (uint64_t) a * b; }

/// One unit in the last place off, up or down or not at all: a GPU's reciprocal is no better.
static inline float nearby(float x) {
    const uint32_t b = __float_as_uint(x);
    return __uint_as_float(b + b * 0x9E3779B9u % 3 - 1);
}

static inline float approximateReciprocal(float x) { return nearby((float) (1.0 / x)); }
static inline float approximateReciprocalRoot(float x) { return (float) (1.0 / sqrt((double) x)); }

static inline void prefetch(const void*) {}

static inline float approximatePower2(float x) { return exp2f(x); }

static inline int __ffs(uint32_t x) { return __builtin_ffs(x); }
static inline int __popc(uint32_t x) { return __builtin_popcount(x); }

static inline int atomicAdd(int* target, int x) { // threads change at barriers and exchanges only
    const int old = *target;
    *target += x;
    return old;
}

namespace host {

extern char* dynamicSharedMemory;

/// Waits until all threads of this thread's block are here.
void syncBlock();

/// Gives this thread's bytes to its warp and returns those of all 32 lanes, 64 bytes apart, until the next exchange.
const char* exchange(const void* own, int bytes);

template <class T>
T fromLane(T own, int lane) {
    T result;
    memcpy(&result, exchange(&own, sizeof own) + 64 * lane, sizeof result);
    return result;
}

/// A kernel under its name; run unpacks the arguments as cuLaunchKernel gets them, unreachable returns the first of their
/// addresses that the GPU cannot reach, or null.
struct Kernel {
    const char* name;
    int threads;
    void (*run)(void** arguments);
    const void* (*unreachable)(void** arguments);
    int64_t* runs; // how many so far
    Kernel* next;
    static Kernel* all;

    Kernel(const char* name, int threads, void (*run)(void**), const void* (*unreachable)(void**))
            : name(name), threads(threads), run(run), unreachable(unreachable), runs(counter(name)), next(all) {
        all = this;
    }

    /// Where the tests find it.
    static int64_t* counter(const char* name);
};

/// Whether this is an address that the driver has given out, or null.
bool isReachable(const void* address);

/// In structures of addresses and 64-bit integers only an address is so large.
static const uint64_t ADDRESSES = 1ull << 40, ADDRESSES_END = 1ull << 47;

template <class Argument>
const void* unreachableIn(const Argument& argument) {
    if constexpr (std::is_pointer_v<Argument>) {
        return isReachable(argument) ? 0 : argument;
    } else if constexpr (std::is_class_v<Argument> && alignof(Argument) == 8) {
        for (size_t i = 0; i < sizeof argument / 8; i++) {
            uint64_t word;
            memcpy(&word, (const char*) &argument + 8 * i, 8);
            if (word >= ADDRESSES && word < ADDRESSES_END && !isReachable((const void*) word)) {
                return (const void*) word;
            }
        }
    }
    return 0;
}

template <class... Arguments, size_t... I>
void call(void (*kernel)(Arguments...), void** arguments, std::index_sequence<I...>) {
    kernel(*(Arguments*) arguments[I]...);
}

template <class... Arguments>
void call(void (*kernel)(Arguments...), void** arguments) {
    call(kernel, arguments, std::index_sequence_for<Arguments...>());
}

template <class... Arguments, size_t... I>
const void* unreachable(void (*)(Arguments...), void** arguments, std::index_sequence<I...>) {
    const void* found = 0;
    ((found = found ? found : unreachableIn(*(Arguments*) arguments[I])), ...);
    return found;
}

template <class... Arguments>
const void* unreachable(void (*kernel)(Arguments...), void** arguments) {
    return unreachable(kernel, arguments, std::index_sequence_for<Arguments...>());
}

} // namespace host

#define KERNEL(threads, name, ...) \
    static void name(__VA_ARGS__); \
    static host::Kernel kernel_##name( \
            #name, threads, [](void** arguments) { host::call((void (*)(__VA_ARGS__)) name, arguments); }, \
            [](void** arguments) { return host::unreachable((void (*)(__VA_ARGS__)) name, arguments); }); \
    static void name(__VA_ARGS__)

#define RESIDENT_KERNEL(threads, blocks, name, ...) KERNEL(threads, name, __VA_ARGS__)

static inline void __syncthreads() { host::syncBlock(); }

static inline int laneOfHost() { return threadIdx.x % 32; }

template <class T>
T __shfl_xor_sync(unsigned, T x, int mask) { return host::fromLane(x, laneOfHost() ^ mask); }

template <class T>
T __shfl_down_sync(unsigned, T x, int distance) {
    const int from = laneOfHost() + distance;
    return host::fromLane(x, from < 32 ? from : laneOfHost());
}

template <class T>
T __shfl_up_sync(unsigned, T x, int distance) {
    const int from = laneOfHost() - distance;
    return host::fromLane(x, from >= 0 ? from : laneOfHost());
}

template <class T>
T __shfl_sync(unsigned, T x, int lane) { return host::fromLane(x, lane); }

static inline void __syncwarp() { host::exchange("", 1); }

static inline uint32_t __ballot_sync(unsigned, bool condition) {
    const char* all = host::exchange(&condition, 1);
    uint32_t mask = 0;
    for (int lane = 0; lane < 32; lane++) {
        mask |= (uint32_t) (all[64 * lane] & 1) << lane;
    }
    return mask;
}

// Tensor cores; the lanes hold what the PTX ISA says for mma.m16n8k16 and ldmatrix.

static inline float bfloat16Of(uint32_t word, int half) {
    return __uint_as_float(half ? word & 0xFFFF0000u : word << 16);
}

static inline void tensorMultiplyAdd(float (&sums)[4], const uint32_t (&left)[4], const uint32_t (&right)[2]) {
    const uint32_t own[6] = {left[0], left[1], left[2], left[3], right[0], right[1]};
    const char* all = host::exchange(own, sizeof own);
    const int lane = laneOfHost();
    for (int i = 0; i < 4; i++) {
        const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        for (int k = 0; k < 16; k++) {
            uint32_t a, b;
            memcpy(&a, all + 64 * (row % 8 * 4 + k % 8 / 2) + 4 * (row / 8 + k / 8 * 2), sizeof a);
            memcpy(&b, all + 64 * (column * 4 + k % 8 / 2) + 4 * (4 + k / 8), sizeof b);
            sums[i] += bfloat16Of(a, k % 2) * bfloat16Of(b, k % 2);
        }
    }
}

/// Lane l's value of matrix m is at row l / 4, columns l % 4 * 2 and the next.
static inline void loadMatrices(const uint16_t* row, uint32_t (&words)[4]) {
    const char* all = host::exchange(&row, sizeof row);
    for (int matrix = 0; matrix < 4; matrix++) {
        const uint16_t* own;
        memcpy(&own, all + 64 * (8 * matrix + laneOfHost() / 4), sizeof own);
        memcpy(&words[matrix], own + laneOfHost() % 4 * 2, sizeof(uint32_t));
    }
}

static inline void loadTransposed(const uint16_t* row, uint32_t (&words)[4]) {
    const char* all = host::exchange(&row, sizeof row);
    const int lane = laneOfHost();
    for (int matrix = 0; matrix < 4; matrix++) {
        const uint16_t *low, *high;
        memcpy(&low, all + 64 * (8 * matrix + lane % 4 * 2), sizeof low);
        memcpy(&high, all + 64 * (8 * matrix + lane % 4 * 2 + 1), sizeof high);
        words[matrix] = low[lane / 4] | (uint32_t) high[lane / 4] << 16;
    }
}

static inline void copyAsync(uint16_t* target, const uint16_t* source, bool real) {
    if (real) {
        memcpy(target, source, 16);
    } else {
        memset(target, 0, 16);
    }
}

static inline void copyAsync(float* target, const float* source, bool real) { *target = real ? *source : 0; }

static inline void waitForCopies() {}
static inline void endCopies() {}
template <int N>
void waitForCopiesBut() {}

static inline uint32_t packNearest(float low, float high) {
    auto nearest = [](float x) {
        const uint32_t b = __float_as_uint(x);
        return x != x ? 0x7FFFu : (b + 0x7FFFu + (b >> 16 & 1)) >> 16;
    };
    return nearest(low) | nearest(high) << 16;
}
