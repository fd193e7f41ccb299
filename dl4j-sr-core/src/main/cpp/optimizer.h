// The optimizer's kernels over whole arrays: blocks on threads. Results do not depend on the number of threads.

#define FOR_BLOCKS(length) \
    const int64_t blocks = blocksOf(length); \
    _Pragma("omp parallel for num_threads(threadsFor(threads, blocks)) schedule(static)") \
    for (int64_t block = 0; block < blocks; block++)

#define BLOCK_RANGE block * BLOCK, blockEnd(block, length)

static inline void toBFloat16(int threads, const float* source, uint16_t* target, int64_t length) {
    FOR_BLOCKS(length) {
        toBFloat16Block(source, target, BLOCK_RANGE);
    }
}

static inline void toFloat(int threads, const uint16_t* source, float* target, int64_t length) {
    FOR_BLOCKS(length) {
        toFloatBlock(source, target, BLOCK_RANGE);
    }
}

static inline void stochasticRound(
        int threads, const float* source, uint16_t* target, int64_t length, int64_t seed, int step, int64_t element) {
    const PhiloxKeys keys(seed);
    FOR_BLOCKS(length) {
        stochasticRoundBlock(source, target, BLOCK_RANGE, keys, step, element);
    }
}

static inline void stochasticSubtract(
        int threads, uint16_t* weights, int updateType, const void* update, int64_t length, int64_t seed, int step,
        int64_t element) {
    const PhiloxKeys keys(seed);
    FOR_BLOCKS(length) {
        if (updateType == FLOAT) {
            stochasticSubtractBlock(weights, (const float*) update, BLOCK_RANGE, keys, step, element);
        } else {
            stochasticSubtractBlock(weights, (const uint16_t*) update, BLOCK_RANGE, keys, step, element);
        }
    }
}

/// The sum of squares of one block, in the order of org.dl4jsr.kernel.BlockSum.
template <class T>
static inline double blockSquares(const T* values, int64_t begin, int64_t end) {
    double lanes[16] = {0};
    addSquares(values, begin, end, lanes);
    for (int half = 8; half > 0; half /= 2) {
        for (int lane = 0; lane < half; lane++) {
            lanes[lane] += lanes[lane + half];
        }
    }
    return lanes[0];
}

static inline double sumOfSquares(int threads, int type, const void* values, int64_t length) {
    double* sums = new double[blocksOf(length)];
    FOR_BLOCKS(length) {
        sums[block] = type == FLOAT ? blockSquares((const float*) values, BLOCK_RANGE)
                                    : blockSquares((const uint16_t*) values, BLOCK_RANGE);
    }
    double total = 0;
    for (int64_t block = 0; block < blocks; block++) {
        total += sums[block];
    }
    delete[] sums;
    return total;
}

template <bool TRACE>
static inline void adamWBlock(
        int type, int weightWrite, const AdamWScalars& s, const AdamWArrays& a, int64_t begin, int64_t end,
        AdamWTrace* trace) {
    if (type == FLOAT) {
        adamWFloat<float, TRACE>(s, a, begin, end, trace);
    } else if (weightWrite == MASTER) {
        adamWFloat<uint16_t, TRACE>(s, a, begin, end, trace);
    } else if (weightWrite == STOCHASTIC) {
        adamWBFloat16<STOCHASTIC, TRACE>(s, a, begin, end, trace);
    } else if (weightWrite == NEAREST) {
        adamWBFloat16<NEAREST, TRACE>(s, a, begin, end, trace);
    } else {
        adamWBFloat16<KAHAN, TRACE>(s, a, begin, end, trace);
    }
}

static inline void adamW(
        int threads, int type, int weightWrite, const AdamWScalars& s, const AdamWArrays& a, AdamWSums* sums) {
    const int64_t length = a.length;
    if (!sums) {
        FOR_BLOCKS(length) {
            adamWBlock<false>(type, weightWrite, s, a, BLOCK_RANGE, 0);
        }
        return;
    }
    AdamWSums* blockSums = new AdamWSums[blocksOf(length)];
    FOR_BLOCKS(length) {
        AdamWTrace trace;
        trace.stagnant = trace.moved = 0;
        adamWBlock<true>(type, weightWrite, s, a, BLOCK_RANGE, &trace);
        int64_t count = blockEnd(block, length) - block * BLOCK;
        blockSums[block] = AdamWSums {trace.stagnant, trace.moved, blockSquares(trace.update, 0, count),
                                      blockSquares(trace.weight, 0, count), blockSquares(trace.gradient, 0, count)};
    }
    *sums = AdamWSums {0, 0, 0, 0, 0};
    for (int64_t block = 0; block < blocks; block++) {
        sums->stagnant += blockSums[block].stagnant;
        sums->moved += blockSums[block].moved;
        sums->squaredUpdate += blockSums[block].squaredUpdate;
        sums->squaredWeight += blockSums[block].squaredWeight;
        sums->squaredGradient += blockSums[block].squaredGradient;
    }
    delete[] blockSums;
}

#undef FOR_BLOCKS
#undef BLOCK_RANGE
