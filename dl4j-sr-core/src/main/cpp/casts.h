// Casts, means and stochastic rounding of whole arrays: blocks on threads.

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

template <class T>
static inline void accumulateAll(
        int threads, const T* x, float factor, bool first, float* sums, int64_t length) {
    FOR_BLOCKS(length) {
        accumulateBlock(x, factor, first, sums, BLOCK_RANGE);
    }
}

static inline void accumulate(
        int threads, int type, const void* x, float factor, bool first, float* sums, int64_t length) {
    if (type == FLOAT) {
        accumulateAll(threads, (const float*) x, factor, first, sums, length);
    } else {
        accumulateAll(threads, (const uint16_t*) x, factor, first, sums, length);
    }
}

template <class T>
static inline void meanAll(int threads, const float* sums, int count, T* mean, int64_t length) {
    FOR_BLOCKS(length) {
        meanBlock(sums, count, mean, BLOCK_RANGE);
    }
}

static inline void mean(int threads, const float* sums, int count, int type, void* mean, int64_t length) {
    if (type == FLOAT) {
        meanAll(threads, sums, count, (float*) mean, length);
    } else {
        meanAll(threads, sums, count, (uint16_t*) mean, length);
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
