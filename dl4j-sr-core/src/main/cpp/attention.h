// Causal attention that never holds all scores (Dao, arXiv 2307.08691): one head of one sequence at a time, and of that
// the scores of a few queries (forward) or keys (backward), which stay in the cache.
//
// Everything is a product of small matrices of 32-bit words: a word is one FP32 value, or two BF16 values that are
// neighbours along the sum. The left factor is read word by word, the right one by vectors from panels. What pads a
// matrix is zero, so any shape works.

/// Words of one FP32 value; BF16 arrays are widened.
struct FloatWords {
    static const int VALUES = 1;
    typedef float Value;

    SIMD_FUNCTION V addProduct(V sum, V a, V b) { return multiplyAdd(a, b, sum); }

    SIMD_FUNCTION void put(float* target, V x) { store(target, x); }

    SIMD_FUNCTION V combine(V first, V) { return first; }
};

#ifdef DL4JSR_AVX512BF16
/// Words of two BF16 values. Products of subnormal values are zero.
struct BFloat16Words {
    static const int VALUES = 2;
    typedef uint16_t Value;

    SIMD_FUNCTION V addProduct(V sum, V a, V b) {
        return (V) _mm512_dpbf16_ps((__m512) sum, (__m512bh) a, (__m512bh) b);
    }

    SIMD_FUNCTION void put(uint16_t* target, V x) { store(target, x); }

    SIMD_FUNCTION V combine(V first, V second) { return (V) ((Bits) first >> 16 | (Bits) second); }
};
#endif

template <class Words>
static inline int wordsOf(int values) { return (values + Words::VALUES - 1) / Words::VALUES; }

/// What is multiplied at once: as many sums as the registers hold.
static const int ROWS = SIMD_BYTES == 64 ? 8 : 6;
static const int VECTORS = 2;

static const int PANEL = VECTORS * LANES;

/// A right factor [words, columns] in panels of PANEL columns, each with its rows one after another.
struct Panels {
    uint32_t* memory;
    int words;

    Panels(Scratch& scratch, int words, int columns)
        : memory(scratch.words((int64_t) roundUp(columns, PANEL) * words)), words(words) {}

    /// The word at a column whose panel has been begun; the next word is PANEL further.
    uint32_t* at(int word, int column) const {
        return memory + (int64_t) (column / PANEL) * PANEL * words + word * PANEL + column % PANEL;
    }
};

/// A left factor of ROWS rows.
struct Rows {
    const uint32_t* memory;
    int64_t rowStride, wordStride;
};

template <class Words, int COUNT>
static inline void multiplyTile(Rows a, int words, const uint32_t* b, float* c, int64_t cStride, bool add) {
    V sums[ROWS][COUNT] = {};
    for (int word = 0; word < words; word++) {
        V right[COUNT];
        for (int v = 0; v < COUNT; v++) {
            right[v] = load((const float*) b + word * PANEL + v * LANES);
        }
#pragma GCC unroll 8
        for (int row = 0; row < ROWS; row++) {
            V left = (V) (Bits{} + a.memory[row * a.rowStride + word * a.wordStride]);
#pragma GCC unroll 2
            for (int v = 0; v < COUNT; v++) {
                sums[row][v] = Words::addProduct(sums[row][v], left, right[v]);
            }
        }
    }
#pragma GCC unroll 8
    for (int row = 0; row < ROWS; row++) {
#pragma GCC unroll 2
        for (int v = 0; v < COUNT; v++) {
            float* target = c + row * cStride + v * LANES;
            store(target, add ? load(target) + sums[row][v] : sums[row][v]);
        }
    }
}

/// c = a times the rows [word, word + words) and columns [column, end) of b, or added to it; column is a multiple of
/// LANES, and the last vector is written whole.
template <class Words>
static inline void multiply(
        Rows a, const Panels& b, int word, int words, int column, int end, float* c, int64_t cStride, bool add) {
    while (column < end) {
        if (column % PANEL == 0 && end - column > LANES) {
            multiplyTile<Words, 2>(a, words, b.at(word, column), c + column, cStride, add);
            column += PANEL;
        } else {
            multiplyTile<Words, 1>(a, words, b.at(word, column), c + column, cStride, add);
            column += LANES;
        }
    }
}

/// One head's queries, keys, values or results of one sequence, or their gradients.
template <class T>
struct Matrix {
    T* first;
    int64_t stride;
    int rows, width;

    T* row(int i) const { return first + i * stride; }
};

/// The rows as rows of words; zeros follow up to a multiple of ROWS.
template <class Words, class T>
static inline const uint32_t* copyRows(const Matrix<const T>& source, Scratch& scratch) {
    const int words = wordsOf<Words>(source.width);
    uint32_t* const target = scratch.words((int64_t) roundUp(source.rows, ROWS) * words);
    for (int row = 0; row < source.rows; row++) {
        const T* in = source.row(row);
        float* out = (float*) target + (int64_t) row * words;
        if (sizeof(T) != sizeof(typename Words::Value)) {
            copy(in, out, source.width);
        } else if (source.width % Words::VALUES == 0) {
            copy((const float*) in, out, words);
        } else {
            out[words - 1] = 0;
            memcpy(out, in, source.width * sizeof(T));
        }
    }
    memset(target + (int64_t) source.rows * words, 0,
           (int64_t) (roundUp(source.rows, ROWS) - source.rows) * words * sizeof *target);
    return target;
}

/// The transpose of rows of words as a right factor: its columns are the rows.
static inline Panels packTransposed(const uint32_t* source, int rows, int words, Scratch& scratch) {
    const Panels target(scratch, words, rows);
    for (int row = 0; row < rows; row += LANES) {
        for (int word = 0; word < words; word += LANES) {
            const int count = words - word < LANES ? words - word : LANES;
            Bits x[LANES];
            for (int i = 0; i < LANES; i++) {
                const float* values = (const float*) source + (int64_t) (row + i) * words + word;
                x[i] = row + i >= rows ? Bits{}
                        : count == LANES ? (Bits) load(values) : (Bits) load(values, Part{count});
            }
            transposeTile(x);
            for (int i = 0; i < count; i++) {
                *(UnalignedBits*) target.at(word + i, row) = x[i];
            }
        }
    }
    return target;
}

/// Words of a vector of a row with that of the next row, null behind the last one.
template <class Words, class T, class Values>
SIMD_FUNCTION V interleave(const T* row, const T* next, Values values) {
    return Words::combine(load(row, values), next ? load(next, values) : V{});
}

/// A matrix as a right factor that is summed over its rows.
template <class Words, class T>
static inline Panels packRows(const Matrix<const T>& source, Scratch& scratch) {
    const Panels target(scratch, wordsOf<Words>(source.rows), source.width);
    for (int column = 0; column < source.width; column += PANEL) {
        const int columns = source.width - column < PANEL ? source.width - column : PANEL;
        for (int word = 0; word < target.words; word++) {
            const int first = word * Words::VALUES;
            const T* row = source.row(first) + column;
            const T* next = first + 1 < source.rows ? source.row(first + 1) + column : 0;
            float* out = (float*) target.at(word, column);
            eachVector(columns, [&](int64_t i, auto part) {
                store(out + i, interleave<Words>(row + i, next ? next + i : 0, part));
            });
        }
    }
    return target;
}

/// Writes the sums [ROWS, stride], each row times its factor, to the rows from this one on.
template <class T, class Factor>
static inline void storeRows(const float* sums, int64_t stride, const Matrix<T>& target, int first, Factor factor) {
    for (int row = 0; row < ROWS && first + row < target.rows; row++) {
        T* out = target.row(first + row);
        eachVector(target.width, [&](int64_t i, auto part) {
            store(out + i, load(sums + row * stride + i) * factor(row), part);
        });
    }
}

static inline float greatestScore(const float* scores, int keys) {
    V most = broadcast(-INFINITY);
    eachVector(keys, [&](int64_t j, auto part) {
        most = maximum(most, within(load(scores + j), part, broadcast(-INFINITY)));
    });
    return greatest(most);
}

/// Turns the scores [keys] of a row in place into words of 2^(score * scale - top) and returns their sum. Words up to
/// length are zero.
template <class Words>
static inline float softmaxRow(float* scores, int keys, int length, float scale, float top) {
    float total = sumOf(keys, [&](int64_t j, auto part) {
        V p = within(power2(multiplyAdd(load(scores + j), broadcast(scale), broadcast(-top))), part, V{});
        Words::put((typename Words::Value*) scores + j, p);
        return p;
    });
    for (int j = roundUp(keys, LANES); j < length; j += LANES) {
        Words::put((typename Words::Value*) scores + j, V{});
    }
    return total;
}

/// Attention of one head of one sequence, matrices [time, headWidth].
template <class Words, class T>
static inline void attend(
        const Matrix<const T>& q, const Matrix<const T>& k, const Matrix<const T>& v, const Matrix<T>& out,
        float* logSumExp) {
    Workspace& space = Workspace::begin();
    const int time = q.rows, words = wordsOf<Words>(q.width);
    const float scale = 1 / sqrtf((float) q.width);
    const uint32_t* qRows = copyRows<Words>(q, space.next());
    const Panels kTransposed = packTransposed(copyRows<Words>(k, space.next()), time, words, space.next());
    const Panels vPanels = packRows<Words>(v, space.next());
    const int64_t stride = roundUp(time, LANES) + LANES, outStride = roundUp(q.width, LANES);
    float* scores = space.next().floats(ROWS * (stride + outStride));
    float* sums = scores + ROWS * stride;
    for (int i = 0; i < time; i += ROWS) {
        const int seen = i + ROWS < time ? i + ROWS : time, count = seen - i;
        const Rows queries = {qRows + (int64_t) i * words, words, 1};
        multiply<Words>(queries, kTransposed, 0, words, 0, seen, scores, stride, false);
        float top[ROWS], total[ROWS]; // in loops of their own, so that no row waits for another
        for (int row = 0; row < count; row++) {
            top[row] = greatestScore(scores + row * stride, i + row + 1) * scale * LOG2_E;
        }
        for (int row = 0; row < count; row++) {
            total[row] = softmaxRow<Words>(scores + row * stride, i + row + 1, seen, scale * LOG2_E, top[row]);
        }
        for (int row = 0; row < count; row++) {
            logSumExp[i + row] = top[row] / LOG2_E + logf(total[row]);
        }
        const Rows probabilities = {(const uint32_t*) scores, stride, 1};
        multiply<Words>(probabilities, vPanels, 0, wordsOf<Words>(seen), 0, q.width, sums, outStride, false);
        storeRows(sums, outStride, out, i, [&](int row) { return 1 / total[row]; });
    }
}

/// The backward pass of attend.
template <class Words, class T>
class AttendBackward {
public:
    AttendBackward(
            const Matrix<const T>& q, const Matrix<const T>& k, const Matrix<const T>& v, const Matrix<const T>& out,
            const float* logSumExp, const Matrix<const T>& dOut)
        : time(q.rows), width(q.width), words(wordsOf<Words>(q.width)), scale(1 / sqrtf((float) q.width)),
          space(Workspace::begin()), kRows(copyRows<Words>(k, space.next())), vRows(copyRows<Words>(v, space.next())),
          qTransposed(packTransposed(copyRows<Words>(q, space.next()), time, words, space.next())),
          dOutTransposed(packTransposed(copyRows<Words>(dOut, space.next()), time, words, space.next())),
          qPanels(packRows<Words>(q, space.next())), kPanels(packRows<Words>(k, space.next())),
          dOutPanels(packRows<Words>(dOut, space.next())), stride(roundUp(time, LANES) + LANES),
          outStride(roundUp(width, LANES)) {
        const int64_t dQLength = roundUp(time, ROWS) * outStride;
        scores = space.next().floats((2 * ROWS + KEYS / Words::VALUES + 2) * stride + ROWS * outStride + dQLength);
        gradients = scores + ROWS * stride;
        blockGradients = gradients + ROWS * stride;
        log2SumExp = blockGradients + KEYS / Words::VALUES * stride;
        delta = log2SumExp + stride;
        sums = delta + stride;
        dQSums = sums + ROWS * outStride;
        memset(log2SumExp, 0, 2 * stride * sizeof(float));
        memset(dQSums, 0, dQLength * sizeof(float));
        for (int i = 0; i < time; i++) {
            log2SumExp[i] = logSumExp[i] * LOG2_E;
            delta[i] = sumOf(width, [&](int64_t c, auto part) {
                return load(out.row(i) + c, part) * load(dOut.row(i) + c, part);
            });
        }
    }

    void run(const Matrix<T>& dQ, const Matrix<T>& dK, const Matrix<T>& dV) {
        for (int block = 0; block < time; block += KEYS) {
            const int end = block + KEYS < time ? block + KEYS : time;
            for (int key = block; key < end; key += ROWS) {
                scoreGradients(block, key);
                keyGradients(scores, key, dOutPanels, dV);
                keyGradients(gradients, key, qPanels, dK);
            }
            queryGradients(block, end);
        }
        for (int i = 0; i < time; i += ROWS) {
            storeRows(dQSums + i * outStride, outStride, dQ, i, [](int) { return 1.0f; });
        }
    }

private:
    /// Keys whose gradients of scores are kept for the gradient of the queries.
    static const int KEYS = 10 * ROWS;

    const int time, width, words;
    const float scale;
    Workspace& space;
    const uint32_t *const kRows, *const vRows;
    const Panels qTransposed, dOutTransposed, qPanels, kPanels, dOutPanels;
    const int64_t stride, outStride;
    float *scores, *gradients; // of ROWS keys by all queries
    float *blockGradients; // of KEYS keys by all queries, words along the keys
    float *log2SumExp, *delta, *sums, *dQSums;

    /// The first query that a key is multiplied with.
    static int firstQuery(int key) { return key / LANES * LANES; }

    /// Sets scores to words of probabilities, gradients to words of the scores' gradients, along the queries.
    void scoreGradients(int block, int key) {
        const int first = firstQuery(key);
        const Rows keys = {kRows + (int64_t) key * words, words, 1};
        const Rows values = {vRows + (int64_t) key * words, words, 1};
        multiply<Words>(keys, qTransposed, 0, words, first, time, scores, stride, false);
        multiply<Words>(values, dOutTransposed, 0, words, first, time, gradients, stride, false);
        for (int row = 0; row < ROWS; row++) {
            softmaxColumn(scores + row * stride, gradients + row * stride, key + row, first);
        }
        typedef typename Words::Value Value;
        for (int row = 0; row < ROWS; row += Words::VALUES) {
            float* target = blockGradients + (key - block + row) / Words::VALUES * stride;
            const Value* values = (const Value*) (gradients + row * stride);
            const Value* next = (const Value*) (gradients + (row + 1) * stride);
            for (int i = firstQuery(block); i < first; i += LANES) {
                store(target + i, V{});
            }
            for (int i = first; i < time; i += LANES) {
                store(target + i, interleave<Words>(values + i, next + i, Whole()));
            }
        }
    }

    /// In place. Queries before the key do not see it.
    void softmaxColumn(float* keyScores, float* keyGradients, int key, int first) {
        for (int i = first; i < time; i += LANES) {
            V p = power2(multiplyAdd(load(keyScores + i), broadcast(scale * LOG2_E), -load(log2SumExp + i)));
            if (i < key) {
                p = lanes() < key - i ? V{} : p;
            }
            V d = p * (load(keyGradients + i) - load(delta + i)) * scale;
            Words::put((typename Words::Value*) keyScores + i, p);
            Words::put((typename Words::Value*) keyGradients + i, d);
        }
    }

    void keyGradients(const float* left, int key, const Panels& right, const Matrix<T>& target) {
        const int first = firstQuery(key) / Words::VALUES;
        const Rows rows = {(const uint32_t*) left + first, stride, 1};
        multiply<Words>(rows, right, first, right.words - first, 0, width, sums, outStride, false);
        storeRows(sums, outStride, target, key, [](int) { return 1.0f; });
    }

    void queryGradients(int block, int end) {
        for (int i = block; i < time; i += ROWS) {
            const int seen = i + ROWS < end ? i + ROWS : end;
            const Rows rows = {(const uint32_t*) blockGradients + i, 1, stride};
            multiply<Words>(rows, kPanels, block / Words::VALUES, wordsOf<Words>(seen - block), 0, width,
                            dQSums + i * outStride, outStride, true);
        }
    }
};

/// The words for arrays of T.
template <class T>
struct AttentionWords {
    typedef FloatWords Words;
};

#ifdef DL4JSR_AVX512BF16
template <>
struct AttentionWords<uint16_t> {
    typedef BFloat16Words Words;
};
#endif

/// The part of one head of one sequence of an array [batch * time, parts * heads * headWidth].
template <class T>
static inline Matrix<T> headOf(T* array, int index, int time, int heads, int headWidth, int parts, int part) {
    const int64_t stride = (int64_t) parts * heads * headWidth;
    const int column = (part * heads + index % heads) * headWidth;
    return Matrix<T>{array + index / heads * time * stride + column, stride, time, headWidth};
}

template <class T>
static inline void attentionForward(
        int threads, const T* qkv, T* out, float* logSumExp, int batch, int time, int heads, int headWidth) {
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int i = 0; i < batch * heads; i++) {
        attend<typename AttentionWords<T>::Words, T>(
                headOf(qkv, i, time, heads, headWidth, 3, 0), headOf(qkv, i, time, heads, headWidth, 3, 1),
                headOf(qkv, i, time, heads, headWidth, 3, 2), headOf(out, i, time, heads, headWidth, 1, 0),
                logSumExp + (int64_t) i * time);
    }
}

template <class T>
static inline void attentionBackward(
        int threads, const T* qkv, const T* out, const float* logSumExp, const T* dOut, T* dQkv, int batch, int time,
        int heads, int headWidth) {
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int i = 0; i < batch * heads; i++) {
        AttendBackward<typename AttentionWords<T>::Words, T>(
                headOf(qkv, i, time, heads, headWidth, 3, 0), headOf(qkv, i, time, heads, headWidth, 3, 1),
                headOf(qkv, i, time, heads, headWidth, 3, 2), headOf(out, i, time, heads, headWidth, 1, 0),
                logSumExp + (int64_t) i * time, headOf(dOut, i, time, heads, headWidth, 1, 0))
                .run(headOf(dQkv, i, time, heads, headWidth, 3, 0), headOf(dQkv, i, time, heads, headWidth, 3, 1),
                     headOf(dQkv, i, time, heads, headWidth, 3, 2));
    }
}
