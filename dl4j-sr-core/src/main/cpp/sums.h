// Sums whose order is fixed: blocks on threads.

/// The sum of squares of one block, in the order of org.dl4jsr.rounding.BlockSum.
template <class T>
static inline double blockSquares(const T* values, int64_t begin, int64_t end) {
    double lanes[SUM_LANES] = {0};
    addSquares(values, begin, end, lanes);
    for (int half = SUM_LANES / 2; half > 0; half /= 2) {
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
