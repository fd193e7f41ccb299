// One step of an optimizer. It gives the bits of JavaKernels: compile without contraction (--fmad=false --prec-sqrt=true
// --prec-div=true --ftz=false).
#include "random.h"
#include "sums.h"
#include "optimizers.h"

static_assert(sizeof(StepSums) == STEP_SUMS_BYTES, "Java reads StepSums");

// Correctly rounded root and quotient of numbers that are neither huge nor tiny, by the steps that the compiler itself
// takes for them, but without its branch for each number, which keeps eight of them from running at once.

/// For x in [2^-101, 2^60].
DEVICE float rootInRange(float x) {
    const float inverse = approximateReciprocalRoot(x), root = x * inverse;
    return fmaf(fmaf(-root, root, x), 0.5f * inverse, root);
}

/// For |a| in [2^-90, 2^60] and b in [2^-52, 2^31].
DEVICE float quotientInRange(float a, float b) {
    const float approximate = approximateReciprocal(b);
    const float inverse = fmaf(approximate, fmaf(-b, approximate, 1), approximate), quotient = a * inverse;
    return fmaf(inverse, fmaf(-b, quotient, a), quotient);
}

/// Root and quotient, correctly rounded as long as all numbers have been in range.
struct FastMath {
    bool inRange;

    METHOD FastMath() : inRange(true) {}

    METHOD float root(float x) {
        inRange = inRange && x >= 0x1p-101f && x <= 0x1p60f;
        return rootInRange(x);
    }

    METHOD float quotient(float a, float b) {
        inRange = inRange && fabsf(a) >= 0x1p-90f && fabsf(a) <= 0x1p60f && b >= 0x1p-52f && b <= 0x1p31f;
        return quotientInRange(a, b);
    }
};

template <class Formula>
DEVICE void directions(
        const Formula& formula, const float (&gradients)[OCTET], float (&moments)[Formula::MOMENTS][OCTET],
        float (&result)[OCTET]) {
    float moved[Formula::MOMENTS][OCTET];
    UNROLLED
    for (int j = 0; j < Formula::MOMENTS; j++) {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            moved[j][k] = moments[j][k];
        }
    }
    FastMath fast;
    directions(fast, formula, gradients, moved, result);
    if (!fast.inRange) {
        ExactMath exact;
        directions(exact, formula, gradients, moments, result);
        return;
    }
    UNROLLED
    for (int j = 0; j < Formula::MOMENTS; j++) {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            moments[j][k] = moved[j][k];
        }
    }
}

#include "step.h"

/// Whether octets of all arrays that a step uses lie at 16-byte boundaries.
template <class Weight, class State>
DEVICE bool areAligned(const OptimizerArrays& a, int moments, bool hasExtra, int shift) {
    bool aligned = areAligned((const Weight*) a.gradient - shift, (const Weight*) a.weights - shift)
            && (!hasExtra || areAligned((const State*) a.extra - shift));
    for (int j = 0; j < moments; j++) {
        aligned = aligned && areAligned((const State*) a.moments[j] - shift);
    }
    return aligned;
}

/// BF16 weights with BF16 state.
template <class Write, class Formula>
struct BFloat16Step {
    typedef Formula Own;

    METHOD static bool isAligned(const OptimizerArrays& a, int shift) {
        return areAligned<uint16_t, uint16_t>(a, Formula::MOMENTS, Write::EXTRA, shift);
    }

    METHOD static bool hasWords(bool stochasticState) { return Write::RANDOM || stochasticState; }
    METHOD static bool hasHalves(bool stochasticState) { return stochasticState && Formula::MOMENTS > 1; }

    template <class Octet>
    METHOD static void run(
            Octet octet, const OptimizerStep<Formula>& s, const OptimizerArrays& a, bool stochasticState, int64_t i,
            const StepRandom<OCTET>& random, StepResult<OCTET>& r) {
        stepBFloat16<Write>(octet, s, a, stochasticState, i, random, r);
    }
};

/// FP32 weights, or BF16 weights with an FP32 master; the state is FP32.
template <class Weight, class Formula>
struct FloatStep {
    typedef Formula Own;

    METHOD static bool isAligned(const OptimizerArrays& a, int shift) {
        return areAligned<Weight, float>(a, Formula::MOMENTS, sizeof(Weight) == sizeof(uint16_t), shift);
    }

    METHOD static bool hasWords(bool) { return false; }
    METHOD static bool hasHalves(bool) { return false; }

    template <class Octet>
    METHOD static void run(
            Octet octet, const OptimizerStep<Formula>& s, const OptimizerArrays& a, bool, int64_t i,
            const StepRandom<OCTET>&, StepResult<OCTET>& r) {
        stepFloat<Weight>(octet, s, a, i, r);
    }
};

/// The step of a weight write that keeps BF16 state, or FP32 state.
template <class Write, class Formula, bool FP32_STATE = Write::FP32_STATE>
struct StepOf : BFloat16Step<Write, Formula> {};

template <class Write, class Formula>
struct StepOf<Write, Formula, true> : FloatStep<uint16_t, Formula> {};

template <class Step>
DEVICE void step(
        const OptimizerArrays& a, const OptimizerStep<typename Step::Own>& s, bool stochasticState, int64_t seed,
        int number) {
    const PhiloxKeys keys(seed);
    const int shift = (int) (a.element % OCTET);
    eachOctet(a.length, shift, Step::isAligned(a, shift), [&](int64_t i, auto octet) {
        StepResult<OCTET> r;
        StepRandom<OCTET> random;
        if (Step::hasWords(stochasticState)) {
            randomWords(keys, number, a.element + i, random.words);
        }
        if (Step::hasHalves(stochasticState)) {
            randomHalves(keys, number, a.element + i, random.halves);
        }
        Step::run(octet, s, a, stochasticState, i, random, r);
    });
}

/// As step, and writes sums [blocks].
template <class Step>
DEVICE void stepTraced(
        const OptimizerArrays& a, const OptimizerStep<typename Step::Own>& s, bool stochasticState, int64_t seed,
        int number, StepSums* sums) {
    const PhiloxKeys keys(seed);
    Lanes updates, weights, gradients;
    int stagnant = 0, moved = 0;
    blockOctets(ownBlock(), a.length, Step::isAligned(a, 0), [&](int64_t i, auto octet) {
        StepResult<OCTET> r;
        StepRandom<OCTET> random;
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            const int64_t element = a.element + i + k;
            if (Step::hasWords(stochasticState)) {
                random.words[k] = randomWord(keys, number, WEIGHT_STREAM, element);
            }
            if (Step::hasHalves(stochasticState)) {
                random.halves[k] = randomWord(keys, number, MOMENT_STREAM, element >> 1) >> (element & 1) * 16;
            }
        }
        Step::run(octet, s, a, stochasticState, i, random, r);
        updates.addSquares(octet, r.update);
        weights.addSquares(octet, r.weight);
        gradients.addSquares(octet, r.gradient);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            if (octet.has(k)) {
                stagnant += r.stagnant(k);
                moved += r.moved(k);
            }
        }
    });
    stagnant += __shfl_down_sync(0xFFFFFFFFu, stagnant, 1);
    moved += __shfl_down_sync(0xFFFFFFFFu, moved, 1);
    const StepSums blockSums = {stagnant, moved, updates.sum(), weights.sum(), gradients.sum()};
    if (writesBlock(ownBlock(), a.length)) {
        sums[ownBlock()] = blockSums;
    }
}

// The kernels that org.dl4jsr.kernel.OptimizerStep.kernel names.

#define STEP_KERNELS(name, Formula, Step) \
    KERNEL(THREADS, name, OptimizerArrays a, OptimizerStep<Formula> s, int stochasticState, int64_t seed, \
           int number) { \
        step<Step>(a, s, stochasticState, seed, number); \
    } \
    KERNEL(THREADS, name##_traced, OptimizerArrays a, OptimizerStep<Formula> s, int stochasticState, int64_t seed, \
           int number, StepSums* sums) { \
        stepTraced<Step>(a, s, stochasticState, seed, number, sums); \
    }

#define STEP_OF_WRITE(write, Formula) \
    typedef StepOf<write, Formula> Formula##_##write##_Step; \
    STEP_KERNELS(Formula##_##write, Formula, Formula##_##write##_Step)

#define STEP_OF_OPTIMIZER(Formula) \
    typedef FloatStep<float, Formula> Formula##_FLOAT_Step; \
    STEP_KERNELS(Formula##_FLOAT, Formula, Formula##_FLOAT_Step) \
    WEIGHT_WRITES(STEP_OF_WRITE, Formula)

OPTIMIZERS(STEP_OF_OPTIMIZER)
