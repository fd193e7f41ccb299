// One step of an optimizer over whole arrays: blocks on threads. Results do not depend on the number of threads.

template <class Formula, int N>
LANES_FUNCTION void directions(
        const Formula& formula, const F (&gradients)[N], F (&moments)[Formula::MOMENTS][N], F (&result)[N]) {
    ExactMath math;
    directions(math, formula, gradients, moments, result);
}

#include "step.h"

/// Of a pack from index i on.
template <class Pack>
LANES_FUNCTION void addTo(StepTrace* trace, Pack pack, int64_t i, const StepResult<Pack::N>& r, U& stagnant, U& moved) {
    U update[Pack::N], weight[Pack::N], gradient[Pack::N];
    UNROLLED
    for (int k = 0; k < Pack::N; k++) {
        update[k] = bits(r.update[k]);
        weight[k] = bits(r.weight[k]);
        gradient[k] = bits(r.gradient[k]);
        stagnant += r.stagnant(k);
        moved += r.moved(k);
    }
    pack.storeBits(trace->update + i % BLOCK, update);
    pack.storeBits(trace->weight + i % BLOCK, weight);
    pack.storeBits(trace->gradient + i % BLOCK, gradient);
}

/// Steps elements [begin, end) of one block.
template <class Write, class Formula, bool TRACE>
static inline void stepBFloat16Block(const StepArguments& arguments, int64_t begin, int64_t end, StepTrace* trace) {
    const OptimizerStep<Formula> s = arguments.numbers<Formula>(); // copies, since no store can alias those
    const OptimizerArrays a = arguments.arrays;
    const PhiloxKeys keys = arguments.keys;
    const bool stochasticState = arguments.stochasticState, randomized = Write::RANDOM || stochasticState;
    const bool hasHalves = stochasticState && Formula::MOMENTS > 1;
    U stagnant = {}, moved = {};
#if SIMD_BYTES == 16
    RandomBits words(keys, arguments.step, WEIGHT_STREAM), halves(keys, arguments.step, MOMENT_STREAM);
    for (int64_t i = begin; i < end; i++) {
        const int64_t element = a.element + i;
        StepRandom<1> random = {};
        if (randomized) {
            random.words[0] = words.get(element);
        }
        if (hasHalves) {
            random.halves[0] = halves.get(element >> 1) >> (element & 1) * 16;
        }
        StepResult<1> r;
        stepBFloat16<Write>(Single(), s, a, stochasticState, i, random, r);
        if (TRACE) {
            addTo(trace, Single(), i, r, stagnant, moved);
        }
    }
#else
    int64_t i = randomized ? firstPair(a.element, begin, end) : begin;
    arguments.ends(arguments, begin, i, trace);
    const PairBits bitsOf(keys, arguments.step, a.element + i);
    while (i + PAIR <= end) {
        U words[2][2] = {}, halves[2] = {};
        if (hasHalves) {
            bitsOf.template get<true>(a.element + i, words, halves);
        } else if (randomized) {
            bitsOf.template get<false>(a.element + i, words, halves);
        }
        for (int pair = 0; pair < 2 && i + PAIR <= end; pair++, i += PAIR) {
            const StepRandom<2> random = {{words[pair][0], words[pair][1]}, {halves[pair], halves[pair] >> 16}};
            StepResult<2> r;
            stepBFloat16<Write>(Pair(), s, a, stochasticState, i, random, r);
            if (TRACE) {
                addTo(trace, Pair(), i, r, stagnant, moved);
            }
        }
    }
    arguments.ends(arguments, i, end, trace);
#endif
    if (TRACE) {
        trace->stagnant += sum(stagnant);
        trace->moved += sum(moved);
    }
}

/// As stepBFloat16Block, of FP32 weights, or of BF16 weights with an FP32 master.
template <class Weight, class Formula, bool TRACE>
static inline void stepFloatBlock(const StepArguments& arguments, int64_t begin, int64_t end, StepTrace* trace) {
    const OptimizerStep<Formula> s = arguments.numbers<Formula>();
    const OptimizerArrays a = arguments.arrays;
    U stagnant = {}, moved = {};
    int64_t i = begin;
    for (; i + LANES <= end; i += LANES) {
        StepResult<1> r;
        stepFloat<Weight>(Single(), s, a, i, r);
        if (TRACE) {
            addTo(trace, Single(), i, r, stagnant, moved);
        }
    }
    if (TRACE) {
        trace->stagnant += sum(stagnant);
        trace->moved += sum(moved);
    }
#if SIMD_BYTES > 16
    arguments.ends(arguments, i, end, trace);
#endif
}

template <class Write, class Formula, bool TRACE>
static inline void stepBlock(const StepArguments& arguments, int64_t begin, int64_t end, StepTrace* trace) {
    if constexpr (Write::FP32_STATE) {
        stepFloatBlock<uint16_t, Formula, TRACE>(arguments, begin, end, trace);
    } else {
        stepBFloat16Block<Write, Formula, TRACE>(arguments, begin, end, trace);
    }
}

/// What steps a block, by the name of org.dl4jsr.kernel.OptimizerStep.kernel.
template <bool TRACE>
static inline StepBlock* stepBlockOf(const std::string& kernel, int scalars) {
#define STEP_OF_WRITE(write, Formula) \
    if (kernel == #Formula "_" #write) { \
        return stepBlock<write, Formula, TRACE>; \
    }
#define STEP_OF_OPTIMIZER(Formula) \
    if (scalars * sizeof(float) == sizeof(OptimizerStep<Formula>)) { \
        if (kernel == #Formula "_FLOAT") { \
            return stepFloatBlock<float, Formula, TRACE>; \
        } \
        WEIGHT_WRITES(STEP_OF_WRITE, Formula) \
    }
    OPTIMIZERS(STEP_OF_OPTIMIZER)
#undef STEP_OF_OPTIMIZER
#undef STEP_OF_WRITE
    throw std::invalid_argument("There is no native optimizer step " + kernel + " with " + std::to_string(scalars)
                                + " numbers");
}

/// sums is written, or null where nobody asks.
static inline void step(int threads, const char* kernel, int scalars, StepArguments arguments, StepSums* sums) {
    const int64_t length = arguments.arrays.length;
    StepBlock* const run = sums ? stepBlockOf<true>(kernel, scalars) : stepBlockOf<false>(kernel, scalars);
    arguments.ends = sums ? scalar::stepBlockOf<true>(kernel, scalars) : scalar::stepBlockOf<false>(kernel, scalars);
    if (!sums) {
        FOR_BLOCKS(length) {
            run(arguments, BLOCK_RANGE, 0);
        }
        return;
    }
    StepSums* blockSums = new StepSums[blocksOf(length)];
    FOR_BLOCKS(length) {
        StepTrace trace;
        trace.stagnant = trace.moved = 0;
        run(arguments, BLOCK_RANGE, &trace);
        int64_t count = blockEnd(block, length) - block * BLOCK;
        blockSums[block] = StepSums {trace.stagnant, trace.moved, blockSquares(trace.update, 0, count),
                                     blockSquares(trace.weight, 0, count), blockSquares(trace.gradient, 0, count)};
    }
    *sums = StepSums {0, 0, 0, 0, 0};
    for (int64_t block = 0; block < blocks; block++) {
        sums->stagnant += blockSums[block].stagnant;
        sums->moved += blockSums[block].moved;
        sums->squaredUpdate += blockSums[block].squaredUpdate;
        sums->squaredWeight += blockSums[block].squaredWeight;
        sums->squaredGradient += blockSums[block].squaredGradient;
    }
    delete[] blockSums;
}
