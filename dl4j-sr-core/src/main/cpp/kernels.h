// The native kernels of dl4j-sr: what Java calls (see NativeLibrary.java), dispatched to the chosen instruction set.
// Each instruction set compiles the same sources in a namespace of its own.
#pragma once

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stdexcept>
#include <string>
#include <type_traits>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace dl4jsr {

#include "types.h"
#include "arithmetic.h"

// Their orders are those of the Java enums; see commonFacts.
#define INSTRUCTION_SETS(X) X(AMX) X(AVX512BF16) X(EMULATED_AMX) X(AVX512) X(AVX2) X(SCALAR)
#define FLOAT_TYPES(X) X(FLOAT) X(BFLOAT16)

#define CONSTANT(name, ...) name,
enum InstructionSet { INSTRUCTION_SETS(CONSTANT) };
enum FloatType { FLOAT_TYPES(CONSTANT) };
enum Arithmetic { ARITHMETIC(CONSTANT) };
#undef CONSTANT

/// Elements of a block: the unit of work of a thread and of the sums of org.dl4jsr.rounding.BlockSum.
static const int BLOCK = 4096;

/// The lanes of those sums, a power of two.
static const int SUM_LANES = 16;

static inline int64_t blocksOf(int64_t length) { return (length + BLOCK - 1) / BLOCK; }

static inline int64_t blockEnd(int64_t block, int64_t length) {
    return (block + 1) * BLOCK < length ? (block + 1) * BLOCK : length;
}

/// The threads worth waking for so many blocks; results never depend on it.
static inline int threadsFor(int threads, int64_t blocks) {
    int64_t useful = (blocks + 3) / 4;
    return useful < threads ? (useful > 1 ? (int) useful : 1) : threads;
}

#define FOR_BLOCKS(length) \
    const int64_t blocks = blocksOf(length); \
    _Pragma("omp parallel for num_threads(threadsFor(threads, blocks)) schedule(static)") \
    for (int64_t block = 0; block < blocks; block++)

#define BLOCK_RANGE block * BLOCK, blockEnd(block, length)

/// What statistics need of the steps of one block.
struct StepTrace {
    float update[BLOCK], weight[BLOCK], gradient[BLOCK];
    int64_t stagnant, moved;
};

struct StepArguments;

/// Steps elements [begin, end) of one block.
typedef void StepBlock(const StepArguments& arguments, int64_t begin, int64_t end, StepTrace* trace);

/// The arguments of a step of an optimizer.
struct StepArguments {
    OptimizerArrays arrays;
    const float* scalars;
    bool stochasticState;
    PhiloxKeys keys;
    int step;
    StepBlock* ends; // steps what is less than a vector at the ends of a block

    template <class Formula>
    OptimizerStep<Formula> numbers() const {
        OptimizerStep<Formula> numbers;
        memcpy(&numbers, scalars, sizeof numbers);
        return numbers;
    }
};

#include "loops.h"
#include "windows.h"
#include "tiles_amx.h"

namespace scalar {
#define SIMD_BYTES 16
#include "lanes_scalar.h"
#include "rounding.h"
#include "elements.h"
#include "elementwise.h"
#include "casts.h"
#include "sums.h"
#include "optimizers.h"
#include "optimizer.h"
#include "transformer.h"
#undef SIMD_BYTES
}

#if defined(__x86_64__)

#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
#define SIMD_BYTES 32
#include "lanes_avx2.h"
#include "rounding.h"
#include "vectors.h"
#include "elementwise.h"
#include "casts.h"
#include "sums.h"
#include "optimizers.h"
#include "optimizer.h"
#include "transformer.h"
#undef SIMD_BYTES
}
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
namespace avx512 {
#define SIMD_BYTES 64
#include "lanes_avx512.h"
#include "rounding.h"
#include "vectors.h"
#include "elementwise.h"
#include "casts.h"
#include "sums.h"
#include "optimizers.h"
#include "optimizer.h"
#include "transformer.h"
#undef SIMD_BYTES
}
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512bf16,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
namespace avx512bf16 {
using namespace avx512; // the optimizer's bits leave no use for the BF16 instructions, which flush subnormals
#define SIMD_BYTES 64
#define DL4JSR_AVX512BF16
#include "transformer.h"
#undef SIMD_BYTES
#undef DL4JSR_AVX512BF16
}
#pragma GCC pop_options

#define DL4JSR_DISPATCH_TO(best, call) \
    switch (instructionSet) { \
        case AMX: case AVX512BF16: case EMULATED_AMX: return best::call; \
        case AVX512: return avx512::call; \
        case AVX2: return avx2::call; \
        default: return scalar::call; \
    }
#else
#define DL4JSR_DISPATCH_TO(best, call) return scalar::call;
#endif

#define DL4JSR_DISPATCH(call) DL4JSR_DISPATCH_TO(avx512bf16, call)

/// FLOAT has no use for BF16 instructions, and is not compiled with them once more.
#define DL4JSR_DISPATCH_TYPE(function, ...) \
    if (type == FLOAT) { \
        DL4JSR_DISPATCH_TO(avx512, function<float>(__VA_ARGS__)) \
    } \
    DL4JSR_DISPATCH(function<uint16_t>(__VA_ARGS__))

/// With AMX, attention multiplies BF16 in tiles; all else is as without it.
#if defined(__x86_64__)
#define DL4JSR_DISPATCH_ATTENTION(function, ...) \
    typedef avx512bf16::transformer::TileWords<AmxTiles> AmxWords; \
    typedef avx512bf16::transformer::TileWords<EmulatedTiles> EmulatedWords; \
    if (type == BFLOAT16 && instructionSet == AMX) { \
        return avx512bf16::transformer::function<uint16_t, AmxWords>(__VA_ARGS__); \
    } \
    if (type == BFLOAT16 && instructionSet == EMULATED_AMX) { \
        return avx512bf16::transformer::function<uint16_t, EmulatedWords>(__VA_ARGS__); \
    } \
    DL4JSR_DISPATCH_TYPE(transformer::function, __VA_ARGS__)
#else
#define DL4JSR_DISPATCH_ATTENTION(function, ...) DL4JSR_DISPATCH_TYPE(transformer::function, __VA_ARGS__)
#endif

/// The address of an array, a long of Java.
struct Array {
    const long long address;

    Array(long long address) : address(address) {}

    /// No other number is an array by mistake.
    template <class Number>
    Array(Number) = delete;

    template <class T>
    operator T*() const { return (T*) address; }
};

/// Whether a weight write has each of its needs: digits.
template <class Write>
static inline std::string needs() {
    return std::string() + "01"[Write::RANDOM] + "01"[Write::EXTRA] + "01"[Write::FP32_STATE];
}

/// What Java and C++ both say, as Java says it: NativeLibrary compares. CUDA's kernels have the same shared headers.
static inline const char* commonFacts() {
#define NAME(name, ...) #name " "
#define WRITE(name, ...) #name " " + needs<scalar::name>() + " " +
    static const std::string facts = "InstructionSet " INSTRUCTION_SETS(NAME) "FloatType " FLOAT_TYPES(NAME)
            "Arithmetic " ARITHMETIC(NAME) "WeightWrite " WEIGHT_WRITES(WRITE, )
            "WEIGHT_STREAM " + std::to_string(WEIGHT_STREAM) + " MOMENT_STREAM " + std::to_string(MOMENT_STREAM)
            + " BLOCK " + std::to_string(BLOCK) + " SUM_LANES " + std::to_string(SUM_LANES)
            + " MOST_MOMENTS " + std::to_string(OptimizerArrays::MOST_MOMENTS);
#undef NAME
#undef WRITE
    return facts.c_str();
}

/// The best instruction set of this processor.
static inline int bestInstructionSet() {
#if defined(__x86_64__)
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
    return bf16 && AmxTiles::available() ? AMX : bf16 ? AVX512BF16 : avx512 ? AVX512 : avx2 ? AVX2 : SCALAR;
#else
    return SCALAR;
#endif
}

static inline int defaultThreads() { return omp_get_max_threads(); }

/// How many threads OpenMP gives to what this thread calls from now on; returns how many they were.
static inline int setThreads(int threads) {
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    return before;
}

static inline void toBFloat16(
        int instructionSet, int threads, Array source, Array target, int64_t length) {
    DL4JSR_DISPATCH(toBFloat16(threads, source, target, length))
}

static inline void toFloat(int instructionSet, int threads, Array source, Array target, int64_t length) {
    DL4JSR_DISPATCH(toFloat(threads, source, target, length))
}

static inline void accumulate(
        int instructionSet, int threads, int type, Array x, float factor, bool first, Array sums, int64_t length) {
    DL4JSR_DISPATCH(accumulate(threads, type, x, factor, first, sums, length))
}

static inline void mean(
        int instructionSet, int threads, Array sums, int count, int type, Array mean, int64_t length) {
    DL4JSR_DISPATCH(mean(threads, sums, count, type, mean, length))
}

static inline void stochasticRound(
        int instructionSet, int threads, Array source, Array target, int64_t length, int64_t seed, int step,
        int64_t element) {
    DL4JSR_DISPATCH(stochasticRound(threads, source, target, length, seed, step, element))
}

static inline void stochasticSubtract(
        int instructionSet, int threads, Array weights, int updateType, Array update, int64_t length,
        int64_t seed, int step, int64_t element) {
    DL4JSR_DISPATCH(stochasticSubtract(threads, weights, updateType, update, length, seed, step, element))
}

static inline double sumOfSquares(int instructionSet, int threads, int type, Array values, int64_t length) {
    DL4JSR_DISPATCH(sumOfSquares(threads, type, values, length))
}

static inline void step(
        int instructionSet, int threads, const char* kernel, int scalars, const StepArguments& arguments,
        StepSums* sums) {
    DL4JSR_DISPATCH(step(threads, kernel, scalars, arguments, sums))
}

/// arrays and scalars as OptimizerArrays.toArray and OptimizerStep.scalars have them.
/// counts are the stagnant and the moved weights, squares the sums of updates, weights and gradients; both are
/// written, or null where nobody asks.
static inline void step(
        int instructionSet, int threads, const char* kernel, const int64_t* arrays, const float* scalars,
        int scalarCount, bool stochasticState, int64_t seed, int step, int64_t* counts, double* squares) {
    StepArguments arguments = {{}, scalars, stochasticState, PhiloxKeys(seed), step, 0};
    memcpy(&arguments.arrays, arrays, sizeof arguments.arrays);
    StepSums sums;
    dl4jsr::step(instructionSet, threads, kernel, scalarCount, arguments, counts ? &sums : 0);
    if (counts) {
        counts[0] = sums.stagnant;
        counts[1] = sums.moved;
        squares[0] = sums.squaredUpdate;
        squares[1] = sums.squaredWeight;
        squares[2] = sums.squaredGradient;
    }
}

static inline void layerNormForward(
        int instructionSet, int threads, int type, Array x, Array gain, Array bias, Array y, Array mean, Array rstd,
        int rows, int width, float epsilon) {
    DL4JSR_DISPATCH_TYPE(
            transformer::layerNormForward, threads, x, gain, bias, y, mean, rstd, rows, width, epsilon)
}

static inline void layerNormBackward(
        int instructionSet, int threads, int type, Array x, Array gain, Array mean, Array rstd, Array dy,
        Array residual, Array dx, Array dGain, Array dBias, int rows, int width) {
    DL4JSR_DISPATCH_TYPE(
            transformer::layerNormBackward, threads, x, gain, mean, rstd, dy, residual, dx, dGain, dBias, rows, width)
}

static inline void activationForward(
        int instructionSet, int threads, const char* activation, int type, Array x, Array y, int64_t length) {
    DL4JSR_DISPATCH_TYPE(transformer::activationForward, threads, activation, x, y, length)
}

static inline void activationBackward(
        int instructionSet, int threads, const char* activation, int type, Array x, Array dy, Array y, Array dx, Array dBias,
        int rows, int width) {
    DL4JSR_DISPATCH_TYPE(transformer::activationBackward, threads, activation, x, dy, y, dx, dBias, rows, width)
}

static inline void biasGradient(
        int instructionSet, int threads, int type, Array dy, Array dBias, int rows, int width) {
    DL4JSR_DISPATCH_TYPE(transformer::biasGradient, threads, dy, dBias, rows, width)
}

static inline void attentionForward(
        int instructionSet, int threads, int type, Array qkv, Array out, Array logSumExp, int batch, int time,
        int heads, int headWidth) {
    DL4JSR_DISPATCH_ATTENTION(
            attentionForward, threads, qkv, out, logSumExp, batch, time, heads, headWidth)
}

static inline void attentionBackward(
        int instructionSet, int threads, int type, Array qkv, Array out, Array logSumExp, Array dOut,
        Array dQkv, int batch, int time, int heads, int headWidth) {
    DL4JSR_DISPATCH_ATTENTION(
            attentionBackward, threads, qkv, out, logSumExp, dOut, dQkv, batch, time, heads, headWidth)
}

static inline void embeddingForward(
        int instructionSet, int threads, int type, Array tokens, Array tokenTable, Array positionTable,
        Array y, int batch, int time, int width) {
    DL4JSR_DISPATCH_TYPE(
            transformer::embeddingForward, threads, tokens, tokenTable, positionTable, y, batch, time, width)
}

static inline void embeddingBackward(
        int instructionSet, int threads, int type, Array tokens, Array dy, Array dTokenTable,
        Array dPositionTable, int batch, int time, int width, int vocabulary, bool accumulate) {
    DL4JSR_DISPATCH_TYPE(
            transformer::embeddingBackward, threads, tokens, dy, dTokenTable, dPositionTable, batch, time, width,
            vocabulary, accumulate)
}

static inline void crossEntropy(
        int instructionSet, int threads, int type, Array logits, Array targets, Array losses, Array dLogits,
        int rows, int vocabulary, float scale) {
    DL4JSR_DISPATCH_TYPE(
            transformer::crossEntropy, threads, logits, targets, losses, dLogits, rows, vocabulary, scale)
}

static inline void transpose(int instructionSet, int threads, int type, Array x, Array y, int rows, int columns) {
    DL4JSR_DISPATCH_TYPE(transformer::transpose, threads, x, y, rows, columns)
}

/// a, b and c, of this type, as StridedArray.toArray has matrices; see transformer::product.
static inline void product(
        int threads, int type, const int64_t* a, const int64_t* b, const int64_t* c, Array bias, Array residual) {
#if defined(__x86_64__)
    if (type == FLOAT) {
        return avx512bf16::transformer::product<float>(threads, a, b, c, bias, residual);
    }
    avx512bf16::transformer::product<uint16_t>(threads, a, b, c, bias, residual);
#else
    throw std::invalid_argument("There are no products of AVX512BF16");
#endif
}

#include "images.h"
#include "arrays.h"

} // namespace dl4jsr
