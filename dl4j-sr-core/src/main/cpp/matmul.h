// Products of large matrices of BF16: c = a b + bias + residual. Each thread multiplies some rows with panels of columns
// at a time. A sum's order is one, whatever the threads.

/// A matrix of BF16 with contiguous rows, or with contiguous columns.
struct Factor {
    const uint16_t* first;
    int64_t rowStride, columnStride;

    bool isRowMajor() const { return columnStride == 1; }
};

/// Where sums go, and what is added before they are rounded. Rows are contiguous.
template <class T>
struct Result {
    T* first;
    int64_t rowStride;
    const T *bias, *residual; // null for none; the residual lies as the result

    /// The sums of some columns of a row, from this column on.
    void write(const float* sums, int row, int column, int columns) const {
        const int64_t start = row * rowStride + column;
        eachVector(columns, [&](int64_t i, auto part) {
            V x = load(sums + i);
            x = bias ? x + load(bias + column + i, part) : x;
            x = residual ? x + load(residual + start + i, part) : x;
            store(first + start + i, x, part);
        });
    }
};

template <class Words, class T>
class Product {
public:
    Product(const Factor& a, const Factor& b, const Result<T>& c, int m, int k, int n)
        : a(a), b(b), c(c), m(m), n(n), words(k / Words::VALUES), panels((n + PANEL - 1) / PANEL) {}

    void run(int threads) {
        static thread_local Scratch leftMemory, rightMemory;
        const int64_t panel = (int64_t) words * PANEL;
        const int strip = panel < STRIP_WORDS ? (int) (STRIP_WORDS / panel) : 1;
        uint32_t* const left = a.isRowMajor() ? 0 : leftMemory.words((int64_t) roundUp(m, LANES) * words);
        uint32_t* const right = rightMemory.words(panel * (strip < panels ? strip : panels));
#pragma omp parallel num_threads(threads)
        {
            if (left) {
#pragma omp for schedule(dynamic) nowait
                for (int word = 0; word < words; word += LANES) {
                    packLeft(word, left);
                }
            }
            for (int first = 0; first < panels; first += strip) {
                const int end = first + strip < panels ? first + strip : panels;
                packRight(first, end, right);
                const int rowBlocks = (m + TASK_ROWS - 1) / TASK_ROWS;
                const int together = panelsOfTask((end - first) * rowBlocks / (TASKS_PER_THREAD * threads));
                const int parts = (end - first + together - 1) / together;
#pragma omp for schedule(dynamic)
                for (int task = 0; task < rowBlocks * parts; task++) {
                    const int begin = first + task % parts * together;
                    const int taskEnd = begin + together < end ? begin + together : end;
                    multiplyTask(left, task / parts * TASK_ROWS, right - first * panel, begin, taskEnd);
                }
            }
        }
    }

private:
    static const int ROWS = Words::ROWS;
    /// A task's rows, which stay in the second cache with SUM_WORDS words, and most panels.
    static const int TASK_ROWS = 12 * ROWS;
    static const int TASK_PANELS = 8;
    /// So many that none waits long for the last one.
    static const int TASKS_PER_THREAD = 4;
    /// Words along the sum that are multiplied before the next ones.
    static const int SUM_WORDS = 1024;
    /// Words of b that are in panels at a time, which stay in the third cache.
    static const int64_t STRIP_WORDS = 1 << 20;
    static_assert(LANES % ROWS == 0, "a vector has whole panels of rows");

    const Factor a, b;
    const Result<T> c;
    const int m, n, words, panels;

    static int panelsOfTask(int wanted) { return wanted < 1 ? 1 : wanted < TASK_PANELS ? wanted : TASK_PANELS; }

    /// A word of each of a vector of neighbours from index on, of less at the end of the matrix.
    SIMD_FUNCTION V wordsOf(const uint16_t* first, int64_t stride, int word, int index, int length) {
        const uint16_t* const values = first + (int64_t) word * Words::VALUES * stride + index;
        return length - index < LANES ? interleave<Words>(values, values + stride, Part{length - index})
                                      : interleave<Words>(values, values + stride, Whole());
    }

    /// Brings a vector of words of all rows of a, whose columns are contiguous, into panels of ROWS rows.
    void packLeft(int first, uint32_t* left) const {
        const int end = first + LANES < words ? first + LANES : words;
        for (int row = 0; row < m; row += LANES) {
            for (int word = first; word < end; word++) {
                const V x = wordsOf(a.first, a.columnStride, word, row, m);
                for (int i = 0; i < LANES; i += ROWS) {
                    uint32_t* const target = left + (int64_t) (row + i) * words + word * ROWS;
                    memcpy(target, (const float*) &x + i, ROWS * sizeof *target);
                }
            }
        }
    }

    /// Brings columns of b into panels, on all threads.
    void packRight(int first, int end, uint32_t* right) const {
        const int64_t panel = (int64_t) words * PANEL;
        if (b.isRowMajor()) {
#pragma omp for schedule(dynamic)
            for (int word = 0; word < words; word += LANES) {
                for (int p = first; p < end; p++) {
                    packRows(word, p * PANEL, right + (p - first) * panel);
                }
            }
        } else {
#pragma omp for schedule(dynamic)
            for (int p = first; p < end; p++) {
                packColumns(p * PANEL, right + (p - first) * panel);
            }
        }
    }

    /// A vector of words of a panel of b, whose rows are contiguous.
    void packRows(int first, int column, uint32_t* panel) const {
        for (int word = first; word < first + LANES && word < words; word++) {
            for (int i = 0; i < PANEL && column + i < n; i += LANES) {
                const V x = wordsOf(b.first, b.rowStride, word, column + i, n);
                store((float*) panel + (int64_t) word * PANEL + i, x);
            }
        }
    }

    /// A panel of b, whose columns are contiguous.
    void packColumns(int column, uint32_t* panel) const {
        for (int i = 0; i < PANEL && column + i < n; i += LANES) {
            for (int word = 0; word < words; word += LANES) {
                const int count = words - word < LANES ? words - word : LANES;
                Bits x[LANES];
                for (int lane = 0; lane < LANES; lane++) {
                    const int at = column + i + lane;
                    const float* values = (const float*) (b.first + at * b.columnStride) + word;
                    x[lane] = at >= n ? Bits{}
                            : count == LANES ? (Bits) load(values) : (Bits) load(values, Part{count});
                }
                transposeTile(x);
                for (int lane = 0; lane < count; lane++) {
                    *(UnalignedBits*) (panel + (int64_t) (word + lane) * PANEL + i) = x[lane];
                }
            }
        }
    }

    /// ROWS rows from this one on; copied where there are less.
    Rows rowsAt(const uint32_t* left, int row) const {
        if (left) {
            return {left + (int64_t) row * words, 1, ROWS};
        }
        const uint16_t* const source = a.first + row * a.rowStride;
        if (row + ROWS <= m) {
            return {(const uint32_t*) source, a.rowStride / Words::VALUES, 1};
        }
        static thread_local Scratch memory;
        uint32_t* const copies = memory.words((int64_t) ROWS * words);
        for (int i = 0; row + i < m; i++) {
            memcpy(copies + (int64_t) i * words, source + i * a.rowStride, words * sizeof *copies);
        }
        return {copies, words, 1};
    }

    void multiplyTask(const uint32_t* left, int row, const uint32_t* right, int begin, int end) const {
        static thread_local Scratch memory;
        float* const sums = memory.floats(TASK_PANELS * TASK_ROWS * PANEL);
        const int rows = m - row < TASK_ROWS ? m - row : TASK_ROWS;
        for (int word = 0; word < words; word += SUM_WORDS) {
            const int count = words - word < SUM_WORDS ? words - word : SUM_WORDS;
            for (int p = begin; p < end; p++) {
                const uint32_t* const panel = right + ((int64_t) p * words + word) * PANEL;
                for (int i = 0; i < rows; i += ROWS) {
                    Rows part = rowsAt(left, row + i);
                    part.memory += word * part.wordStride;
                    float* const target = sums + ((p - begin) * TASK_ROWS + i) * PANEL;
                    if (word == 0) {
                        Words::template multiplyTile<VECTORS, false>(part, count, panel, target, PANEL);
                    } else {
                        Words::template multiplyTile<VECTORS, true>(part, count, panel, target, PANEL);
                    }
                }
            }
        }
        for (int i = 0; i < rows; i++) {
            for (int p = begin; p < end; p++) {
                const int column = p * PANEL;
                const float* const source = sums + ((p - begin) * TASK_ROWS + i) * PANEL;
                c.write(source, row + i, column, n - column < PANEL ? n - column : PANEL);
            }
        }
    }
};

/// a [m, k], b [k, n] and c [m, n] as StridedArray.toArray has matrices. k is even, and so is the stride of a's rows
/// where they are contiguous. bias [n] and residual, which lies as c does, may be null.
template <class T>
static inline void product(
        int threads, const int64_t* a, const int64_t* b, const int64_t* c, const T* bias, const T* residual) {
    const auto factor = [](const int64_t* matrix) {
        return Factor{(const uint16_t*) matrix[0], matrix[3], matrix[4]};
    };
    const Result<T> result = {(T*) c[0], c[3], bias, residual};
    Product<BFloat16Words, T>(factor(a), factor(b), result, (int) c[1], (int) a[2], (int) c[2]).run(threads);
}
