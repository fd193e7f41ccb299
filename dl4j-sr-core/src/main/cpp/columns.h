// Sums over the rows of a matrix that do not depend on the number of threads: blocks of rows are summed one by one,
// then added in their order.

static const int ROW_BLOCK = 64;

/// Calls addRow(row, sums) for all rows, which adds to sums [columns, padded to whole vectors], and returns the sums,
/// valid until this thread asks for others.
template <class AddRow>
static inline const float* sumRows(int threads, int rows, int columns, AddRow addRow) {
    static thread_local Scratch partial;
    const int64_t stride = roundUp(columns, LANES);
    const int blocks = (rows + ROW_BLOCK - 1) / ROW_BLOCK;
    float* sums = partial.floats(blocks * stride);
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf(rows * stride)))
    for (int block = 0; block < blocks; block++) {
        float* blockSums = sums + block * stride;
        memset(blockSums, 0, stride * sizeof(float));
        int end = (block + 1) * ROW_BLOCK < rows ? (block + 1) * ROW_BLOCK : rows;
        for (int row = block * ROW_BLOCK; row < end; row++) {
            addRow(row, blockSums);
        }
    }
    for (int64_t c = 0; c < stride; c += LANES) {
        V total = load(sums + c);
        for (int block = 1; block < blocks; block++) {
            total += load(sums + block * stride + c);
        }
        store(sums + c, total);
    }
    return sums;
}

template <class T>
static inline void biasGradient(int threads, const T* dy, T* dBias, int rows, int width) {
    const float* sums = sumRows(threads, rows, width, [&](int row, float* rowSums) {
        const T* values = dy + (int64_t) row * width;
        eachVector(width, [&](int64_t c, auto part) {
            store(rowSums + c, load(rowSums + c) + load(values + c, part));
        });
    });
    copy(sums, dBias, width);
}
