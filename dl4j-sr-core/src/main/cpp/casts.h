// Casts and stochastic rounding of whole arrays: blocks on threads.

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
