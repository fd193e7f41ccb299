// Attention that never holds all scores (Dao, arXiv 2307.08691): one head of one sequence at a time, or a part of it, and
// of that the scores of a few queries (forward) or keys (backward), which stay in the cache. A query sees the keys up to
// its own (CAUSAL), or all those that are visible.

/// One head's queries, keys, values or results of one sequence, or their gradients.
template <class T>
struct Matrix {
    T* first;
    int64_t stride;
    int rows, width;

    T* row(int i) const { return first + i * stride; }

    Matrix rowsFrom(int begin, int count) const { return {row(begin), stride, count, width}; }
};

/// The rows as rows of words; zeros follow up to a multiple of Words::ROWS.
template <class Words, class T>
static inline const uint32_t* copyRows(const Matrix<const T>& source, Scratch& scratch) {
    const int words = wordsOf<Words>(source.width);
    uint32_t* const target = scratch.words((int64_t) roundUp(source.rows, Words::ROWS) * words);
    for (int row = 0; row < source.rows; row++) {
        const T* in = source.row(row);
        float* out = (float*) target + (int64_t) row * words;
        if (sizeof(T) != sizeof(typename Words::Value)) {
            copy(in, out, source.width);
        } else if (source.width == words * Words::VALUES) {
            copy((const float*) in, out, words);
        } else {
            const int whole = source.width / Words::VALUES;
            memset(out + whole, 0, (words - whole) * sizeof *out);
            memcpy(out, in, source.width * sizeof(T));
        }
    }
    memset(target + (int64_t) source.rows * words, 0,
           (int64_t) (roundUp(source.rows, Words::ROWS) - source.rows) * words * sizeof *target);
    return target;
}

/// The transpose of rows of words as a right factor: its columns are the rows.
static inline Panels packTransposed(const uint32_t* source, int rows, int words, Scratch& scratch) {
    const Panels target(scratch, words, rows);
    for (int row = 0; row < roundUp(rows, PANEL); row += LANES) {
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
            const T* row = first < source.rows ? source.row(first) + column : 0;
            const T* next = first + 1 < source.rows ? source.row(first + 1) + column : 0;
            float* out = (float*) target.at(word, column);
            eachVector(columns, [&](int64_t i, auto part) {
                store(out + i, row ? interleave<Words>(row + i, next ? next + i : 0, part) : V{});
            });
        }
    }
    return target;
}

/// Writes the sums [Words::ROWS, stride], each row times its factor, to the rows from this one on.
template <class Words, class T, class Factor>
static inline void storeRows(const float* sums, int64_t stride, const Matrix<T>& target, int first, Factor factor) {
    for (int row = 0; row < Words::ROWS && first + row < target.rows; row++) {
        T* out = target.row(first + row);
        eachVector(target.width, [&](int64_t i, auto part) {
            store(out + i, load(sums + row * stride + i) * factor(row), part);
        });
    }
}

/// So low that 2^score is 0.
static const float UNSEEN = -1e30f;

/// Sets the scores [keys] of keys that are not visible, BF16 [keys], to UNSEEN.
static inline void hide(const uint16_t* visible, float* scores, int keys) {
    eachVector(keys, [&](int64_t j, auto part) {
        store(scores + j, load(visible + j, part) > 0.0f ? load(scores + j) : broadcast(UNSEEN));
    });
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

/// Queries (forward) or keys (backward) of a part of a head: a multiple of what is multiplied at once.
static const int PART = 192;

/// Attention of one head of one sequence, or of a part of its queries. Matrices [queries or keys, headWidth]; the last
/// query sees the last key.
///
/// visible  1 for the keys that are seen, 0 for the others; null for all
template <class Words, bool CAUSAL, class T>
static inline void attend(
        const Matrix<const T>& q, const Matrix<const T>& k, const Matrix<const T>& v, const uint16_t* visible,
        const Matrix<T>& out, float* logSumExp) {
    const int ROWS = Words::ROWS;
    Workspace& space = Workspace::begin();
    const int keys = k.rows, words = wordsOf<Words>(q.width), before = keys - q.rows;
    const float scale = 1 / sqrtf((float) q.width);
    const uint32_t* qRows = copyRows<Words>(q, space.next());
    const Panels kTransposed = packTransposed(copyRows<Words>(k, space.next()), keys, words, space.next());
    const Panels vPanels = packRows<Words>(v, space.next());
    const int64_t stride = roundUp(keys, LANES) + LANES, outStride = roundUp(q.width, LANES);
    float* scores = space.next().floats(ROWS * (stride + outStride));
    float* sums = scores + ROWS * stride;
    for (int i = 0; i < q.rows; i += ROWS) {
        const int end = i + ROWS < q.rows ? i + ROWS : q.rows, count = end - i;
        const int seen = CAUSAL ? before + end : keys, seenWords = wordsOf<Words>(seen);
        const auto keysOf = [&](int row) { return CAUSAL ? before + i + row + 1 : keys; };
        const Rows queries = {qRows + (int64_t) i * words, words, 1};
        multiply<Words>(queries, kTransposed, 0, words, 0, seen, scores, stride);
        for (int row = 0; visible && row < count; row++) {
            hide(visible, scores + row * stride, keys);
        }
        float top[ROWS], total[ROWS]; // in loops of their own, so that no row waits for another
        for (int row = 0; row < count; row++) {
            top[row] = greatestScore(scores + row * stride, keysOf(row)) * scale * LOG2_E;
        }
        for (int row = 0; row < count; row++) {
            total[row] = softmaxRow<Words>(
                    scores + row * stride, keysOf(row), seenWords * Words::VALUES, scale * LOG2_E, top[row]);
        }
        for (int row = 0; row < count; row++) {
            logSumExp[i + row] = top[row] / LOG2_E + logf(total[row]);
        }
        const Rows probabilities = {(const uint32_t*) scores, stride, 1};
        multiply<Words>(probabilities, vPanels, 0, seenWords, 0, q.width, sums, outStride);
        storeRows<Words>(sums, outStride, out, i, [&](int row) { return 1 / total[row]; });
    }
}

/// The backward pass of one head of one sequence, or of a part of its keys, of which the first query sees the first.
template <class Words, bool CAUSAL, class T>
class AttendBackward {
public:
    AttendBackward(
            const Matrix<const T>& q, const Matrix<const T>& k, const Matrix<const T>& v, const uint16_t* visible,
            const Matrix<const T>& out, const float* logSumExp, const Matrix<const T>& dOut)
        : time(q.rows), keys(k.rows), queries(wordsOf<Words>(q.rows) * Words::VALUES), width(q.width),
          words(wordsOf<Words>(q.width)), visible(visible), scale(1 / sqrtf((float) q.width)),
          space(Workspace::begin()), kRows(copyRows<Words>(k, space.next())), vRows(copyRows<Words>(v, space.next())),
          qTransposed(packTransposed(copyRows<Words>(q, space.next()), time, words, space.next())),
          dOutTransposed(packTransposed(copyRows<Words>(dOut, space.next()), time, words, space.next())),
          qPanels(packRows<Words>(q, space.next())), kPanels(packRows<Words>(k, space.next())),
          dOutPanels(packRows<Words>(dOut, space.next())), stride(roundUp(time, LANES) + LANES),
          outStride(roundUp(width, LANES)) {
        scores = space.next().floats((2 * ROWS + KEY_WORDS + 2) * stride + ROWS * (outStride + KEY_WORDS));
        gradients = scores + ROWS * stride;
        blockGradients = gradients + ROWS * stride;
        log2SumExp = blockGradients + KEY_WORDS * stride;
        delta = log2SumExp + stride;
        sums = delta + stride;
        blockRows = (uint32_t*) (sums + ROWS * outStride);
        memset(log2SumExp, 0, 2 * stride * sizeof(float));
        for (int i = 0; i < time; i++) {
            log2SumExp[i] = logSumExp[i] * LOG2_E;
            delta[i] = sumOf(width, [&](int64_t c, auto part) {
                return load(out.row(i) + c, part) * load(dOut.row(i) + c, part);
            });
        }
    }

    /// The length of the sums of the gradient of so many queries.
    static int64_t sumsOf(int queries, int width) { return (int64_t) roundUp(queries, ROWS) * roundUp(width, LANES); }

    void run(const Matrix<T>& dQ, const Matrix<T>& dK, const Matrix<T>& dV) {
        const int64_t length = sumsOf(time, width);
        float* const all = space.next().floats(2 * length);
        for (int first = 0; first < keys; first += PART) {
            const int64_t skipped = CAUSAL ? first * outStride : 0;
            float* const part = first == 0 ? all : all + length;
            runPart(first, part, dK, dV);
            if (first > 0) {
                addPart(part + skipped, length - skipped, all + skipped);
            }
        }
        storeQueries(all, dQ);
    }

    /// Writes the gradients of the keys and values from the first one on, and of their queries' gradient the sums.
    void runPart(int first, float* dQSums, const Matrix<T>& dK, const Matrix<T>& dV) {
        const int64_t skipped = CAUSAL ? first * outStride : 0;
        memset(dQSums + skipped, 0, (sumsOf(time, width) - skipped) * sizeof(float));
        const int partEnd = first + PART < keys ? first + PART : keys;
        for (int block = first; block < partEnd; block += KEYS) {
            const int end = block + KEYS < partEnd ? block + KEYS : partEnd;
            for (int key = block; key < end; key += ROWS) {
                scoreGradients(block, key);
                keyGradients(scores, key, dOutPanels, dV);
                keyGradients(gradients, key, qPanels, dK);
            }
            queryGradients(block, end, dQSums);
        }
    }

    /// Adds the sums of a part to those of the parts before.
    static void addPart(const float* part, int64_t length, float* sums) {
        eachVector(length, [&](int64_t i, auto) { store(sums + i, load(sums + i) + load(part + i)); });
    }

    static void storeQueries(const float* sums, const Matrix<T>& dQ) {
        const int64_t stride = roundUp(dQ.width, LANES);
        for (int i = 0; i < dQ.rows; i += ROWS) {
            storeRows<Words>(sums + i * stride, stride, dQ, i, [](int) { return 1.0f; });
        }
    }

private:
    static const int ROWS = Words::ROWS;
    /// Keys whose gradients of scores are kept for the gradient of the queries.
    static const int KEYS = PART / 2;
    static const int KEY_WORDS = KEYS / Words::VALUES;
    static_assert(KEYS % ROWS == 0 && KEYS % LANES == 0, "parts begin where rows and vectors do");

    const int time, keys, queries, width, words; // time is that of the queries, which are padded for sums over them
    const uint16_t* const visible;
    const float scale;
    Workspace& space;
    const uint32_t *const kRows, *const vRows;
    const Panels qTransposed, dOutTransposed, qPanels, kPanels, dOutPanels;
    const int64_t stride, outStride;
    float *scores, *gradients; // of ROWS keys by all queries
    float *blockGradients; // of KEYS keys by all queries, words along the keys
    float *log2SumExp, *delta, *sums;
    uint32_t* blockRows; // of some queries, ROWS rows of blockGradients' transpose

    /// The first query that a key is multiplied with.
    static int firstQuery(int key) { return CAUSAL ? key / LANES * LANES : 0; }

    /// Whether no query sees the key, which may lie behind the last one.
    bool isHidden(int key) const { return !CAUSAL && (key >= keys || (visible && visible[key] == 0)); }

    /// Sets scores to words of probabilities, gradients to words of the scores' gradients, along the queries.
    void scoreGradients(int block, int key) {
        const int first = firstQuery(key);
        const Rows keys = {kRows + (int64_t) key * words, words, 1};
        const Rows values = {vRows + (int64_t) key * words, words, 1};
        multiply<Words>(keys, qTransposed, 0, words, first, queries, scores, stride);
        multiply<Words>(values, dOutTransposed, 0, words, first, queries, gradients, stride);
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
            for (int i = first; i < queries; i += LANES) {
                store(target + i, interleave<Words>(values + i, next + i, Whole()));
            }
        }
    }

    /// In place. Queries before the key do not see it.
    void softmaxColumn(float* keyScores, float* keyGradients, int key, int first) {
        const bool hidden = isHidden(key);
        for (int i = first; i < queries; i += LANES) {
            V p = hidden ? V{} : power2(
                    multiplyAdd(load(keyScores + i), broadcast(scale * LOG2_E), -load(log2SumExp + i)));
            if (CAUSAL && i < key) {
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
        multiply<Words>(rows, right, first, right.words - first, 0, width, sums, outStride);
        storeRows<Words>(sums, outStride, target, key, [](int) { return 1.0f; });
    }

    void queryGradients(int block, int end, float* dQSums) {
        for (int i = CAUSAL ? block : 0; i < time; i += ROWS) {
            const int seen = CAUSAL && i + ROWS < end ? i + ROWS : end;
            const int seenWords = wordsOf<Words>(seen - block);
            const Rows rows = Words::transposed((const uint32_t*) blockGradients + i, stride, seenWords, blockRows);
            multiply<Words, true>(
                    rows, kPanels, block / Words::VALUES, seenWords, 0, width, dQSums + i * outStride, outStride);
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
