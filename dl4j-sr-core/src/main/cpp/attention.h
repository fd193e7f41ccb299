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

    SIMD_FUNCTION void put(uint16_t* target, V x) { *(UnalignedHalves*) target = (Halves) _mm512_cvtneps_pbh((__m512) x); }

    SIMD_FUNCTION V combine(V first, V second) { return (V) ((Bits) first >> 16 | (Bits) second); }
};
#endif

/// Rows of a left factor that are multiplied at once: with MAX_VECTORS of the right one they fill the registers.
static const int ROWS = 6;
static const int MAX_VECTORS = SIMD_BYTES == 64 ? 4 : 2;

/// A right factor [words, columns] in panels of some vectors' width, each with its rows one after another.
struct Panels {
    uint32_t* memory;
    int words, vectors;

    Panels(Scratch& scratch, int words, int columns) : words(words) {
        int all = (columns + LANES - 1) / LANES;
        int panels = (all + MAX_VECTORS - 1) / MAX_VECTORS;
        vectors = (all + panels - 1) / panels;
        memory = scratch.words((int64_t) panels * vectors * LANES * words);
    }

    uint32_t* at(int word, int vector) const {
        return memory + ((int64_t) (vector / vectors) * words + word) * vectors * LANES + vector % vectors * LANES;
    }
};

/// A left factor of ROWS rows.
struct Rows {
    const uint32_t* memory;
    int64_t rowStride, wordStride;
};

template <class Words, int VECTORS>
static inline void multiplyTile(
        Rows a, int words, const uint32_t* b, int64_t bStride, float* c, int64_t cStride, bool add) {
    V sums[ROWS][VECTORS];
    for (int row = 0; row < ROWS; row++) {
        for (int v = 0; v < VECTORS; v++) {
            sums[row][v] = add ? load(c + row * cStride + v * LANES) : V{};
        }
    }
    for (int word = 0; word < words; word++) {
        V right[VECTORS];
        for (int v = 0; v < VECTORS; v++) {
            right[v] = load((const float*) b + word * bStride + v * LANES);
        }
        for (int row = 0; row < ROWS; row++) {
            V left = (V) (Bits{} + a.memory[row * a.rowStride + word * a.wordStride]);
            for (int v = 0; v < VECTORS; v++) {
                sums[row][v] = Words::addProduct(sums[row][v], left, right[v]);
            }
        }
    }
    for (int row = 0; row < ROWS; row++) {
        for (int v = 0; v < VECTORS; v++) {
            store(c + row * cStride + v * LANES, sums[row][v]);
        }
    }
}

template <class Words, int VECTORS>
static inline void multiplyVectors(
        int vectors, Rows a, int words, const uint32_t* b, int64_t bStride, float* c, int64_t cStride, bool add) {
    if constexpr (VECTORS > 1) {
        if (vectors < VECTORS) {
            return multiplyVectors<Words, VECTORS - 1>(vectors, a, words, b, bStride, c, cStride, add);
        }
    }
    multiplyTile<Words, VECTORS>(a, words, b, bStride, c, cStride, add);
}

/// c = a times the rows [word, word + words) and columns [column, end) of b, or added to it; column is a multiple of
/// LANES, and the last vector is written whole.
template <class Words>
static inline void multiply(
        Rows a, const Panels& b, int word, int words, int column, int end, float* c, int64_t cStride, bool add) {
    int last = (end + LANES - 1) / LANES;
    int count;
    for (int v = column / LANES; v < last; v += count) {
        count = b.vectors - v % b.vectors < last - v ? b.vectors - v % b.vectors : last - v;
        multiplyVectors<Words, MAX_VECTORS>(
                count, a, words, b.at(word, v), b.vectors * LANES, c + v * LANES, cStride, add);
    }
}

/// Copies a matrix [rows, width] of an array with that stride to rows of words; returns the words of a row.
template <class Words, class T>
static inline int copyRows(const T* source, int64_t stride, int rows, int width, uint32_t* target) {
    int words = (width + Words::VALUES - 1) / Words::VALUES;
    for (int row = 0; row < roundUp(rows, ROWS); row++) {
        uint32_t* out = target + (int64_t) row * words;
        if (row >= rows) {
            memset(out, 0, words * sizeof *out);
        } else if (sizeof(T) == sizeof(typename Words::Value)) {
            out[words - 1] = 0;
            memcpy(out, source + row * stride, width * sizeof(T));
        } else {
            eachVector(width, [&](int64_t i, auto part) {
                store((float*) out + i, load(source + row * stride + i, part), part);
            });
        }
    }
    return words;
}

/// The transpose of rows of words as a right factor: its columns are the rows.
static inline void packTransposed(const uint32_t* source, int rows, int words, const Panels& target) {
    for (int row = 0; row < roundUp(rows, LANES); row += LANES) {
        for (int word = 0; word < words; word += LANES) {
            int count = words - word < LANES ? words - word : LANES;
            Bits x[LANES];
            for (int i = 0; i < LANES; i++) {
                const float* values = (const float*) source + (int64_t) (row + i) * words + word;
                x[i] = row + i >= rows ? Bits{}
                        : count == LANES ? (Bits) load(values) : (Bits) load(values, Part{count});
            }
            transposeTile(x);
            for (int i = 0; i < count; i++) {
                *(UnalignedBits*) target.at(word + i, row / LANES) = x[i];
            }
        }
    }
}

/// Words of a vector of a row with that of the next row, null behind the last one.
template <class Words, class T, class Values>
SIMD_FUNCTION V interleave(const T* row, const T* next, Values values) {
    return Words::combine(load(row, values), next ? load(next, values) : V{});
}

/// A matrix [rows, width] of an array with that stride as a right factor that is summed over its rows.
template <class Words, class T>
static inline void packRows(const T* source, int64_t stride, int rows, int width, const Panels& target) {
    for (int word = 0; word < target.words; word++) {
        const T* row = source + word * Words::VALUES * stride;
        const T* next = word * Words::VALUES + 1 < rows ? row + stride : 0;
        eachVector(width, [&](int64_t i, auto values) {
            store((float*) target.at(word, i / LANES), interleave<Words>(row + i, next ? next + i : 0, values));
        });
    }
}

/// One head of one sequence in an array [batch * time, ...].
template <class T>
struct Head {
    T* first;
    int64_t stride;

    Head(T* array, int64_t stride, int index, int time, int heads, int column, int headWidth)
        : first(array + index / heads * time * stride + column + index % heads * headWidth), stride(stride) {}

    T* row(int i) const { return first + i * stride; }
};

template <class T>
static inline void storeRow(const float* source, T* target, int width, float factor) {
    eachVector(width, [&](int64_t i, auto values) { store(target + i, load(source + i) * factor, values); });
}

/// Turns the scores [keys] of a row in place into words of e^(score * scale - greatest); returns their sum and sets
/// greatest. Words up to length are zero.
template <class Words>
static inline float softmaxRow(float* scores, int keys, int length, float scale, float& greatest) {
    V most = broadcast(-INFINITY);
    eachVector(keys, [&](int64_t j, auto values) {
        most = maximum(most, within(load(scores + j), values, broadcast(-INFINITY)));
    });
    greatest = largest(most) * scale;
    V total = {};
    eachVector(keys, [&](int64_t j, auto values) {
        V p = within(exponential(multiplyAdd(load(scores + j), broadcast(scale), broadcast(-greatest))), values, V{});
        total += p;
        Words::put((typename Words::Value*) scores + j, p);
    });
    for (int j = roundUp(keys, LANES); j < length; j += LANES) {
        Words::put((typename Words::Value*) scores + j, V{});
    }
    return sum(total);
}

template <class Words, class T>
static inline void attendHead(
        const Head<const T>& q, const Head<const T>& k, const Head<const T>& v, const Head<T>& out, float* logSumExp,
        int time, int headWidth) {
    static thread_local Scratch queries, keyRows, keys, values, tiles;
    const float scale = 1 / sqrtf((float) headWidth);
    const int words = (headWidth + Words::VALUES - 1) / Words::VALUES;
    const int64_t width = roundUp(headWidth, LANES), stride = roundUp(time, LANES) + LANES;
    uint32_t* qRows = queries.words((int64_t) words * roundUp(time, ROWS));
    uint32_t* kRows = keyRows.words((int64_t) words * roundUp(time, ROWS));
    copyRows<Words>(q.first, q.stride, time, headWidth, qRows);
    copyRows<Words>(k.first, k.stride, time, headWidth, kRows);
    Panels kPanels(keys, words, time);
    packTransposed(kRows, time, words, kPanels);
    Panels vPanels(values, (time + Words::VALUES - 1) / Words::VALUES, headWidth);
    packRows<Words>(v.first, v.stride, time, headWidth, vPanels);
    float* scores = tiles.floats(ROWS * (stride + width));
    float* sums = scores + ROWS * stride;
    for (int i = 0; i < time; i += ROWS) {
        int seen = i + ROWS < time ? i + ROWS : time;
        multiply<Words>(Rows{qRows + (int64_t) i * words, words, 1}, kPanels, 0, words, 0, seen, scores, stride, false);
        float total[ROWS];
        for (int row = 0; row < seen - i; row++) {
            float greatest;
            total[row] = softmaxRow<Words>(scores + row * stride, i + row + 1, seen, scale, greatest);
            logSumExp[i + row] = greatest + logf(total[row]);
        }
        multiply<Words>(Rows{(const uint32_t*) scores, stride, 1}, vPanels, 0,
                        (seen + Words::VALUES - 1) / Words::VALUES, 0, headWidth, sums, width, false);
        for (int row = 0; row < seen - i; row++) {
            storeRow(sums + row * width, out.row(i + row), headWidth, 1 / total[row]);
        }
    }
}

/// Keys whose gradients of scores are kept for the gradient of the queries; a multiple of ROWS.
static const int KEYS = 10 * ROWS;

/// Turns the scores of a key and the gradients of its probabilities, from query begin to end, in place into words of
/// probabilities and of gradients of scores. Queries before the key do not see it.
template <class Words>
static inline void softmaxColumn(
        float* scores, float* gradients, int key, int begin, int end, const float* logSumExp, const float* delta,
        float scale) {
    for (int i = begin; i < end; i += LANES) {
        V p = exponential(multiplyAdd(load(scores + i), broadcast(scale), -load(logSumExp + i)));
        if (i < key) {
            p = lanes() < key - i ? V{} : p;
        }
        V d = p * (load(gradients + i) - load(delta + i)) * scale;
        Words::put((typename Words::Value*) scores + i, p);
        Words::put((typename Words::Value*) gradients + i, d);
    }
}

template <class Words, class T>
static inline void attendHeadBackward(
        const Head<const T>& q, const Head<const T>& k, const Head<const T>& v, const Head<const T>& out,
        const float* logSumExp, const Head<const T>& dOut, const Head<T>& dQ, const Head<T>& dK, const Head<T>& dV,
        int time, int headWidth) {
    static thread_local Scratch copies, queries, outs, queryRows, outRows, keyRows, tiles;
    const float scale = 1 / sqrtf((float) headWidth);
    const int words = (headWidth + Words::VALUES - 1) / Words::VALUES;
    const int sumWords = (time + Words::VALUES - 1) / Words::VALUES;
    const int64_t width = roundUp(headWidth, LANES), stride = roundUp(time, LANES) + LANES;
    const int64_t rows = roundUp(time, ROWS);

    uint32_t* kRows = copies.words(4 * words * rows);
    uint32_t *vRows = kRows + words * rows, *qRows = vRows + words * rows, *dOutRows = qRows + words * rows;
    copyRows<Words>(k.first, k.stride, time, headWidth, kRows);
    copyRows<Words>(v.first, v.stride, time, headWidth, vRows);
    copyRows<Words>(q.first, q.stride, time, headWidth, qRows);
    copyRows<Words>(dOut.first, dOut.stride, time, headWidth, dOutRows);
    Panels qTransposed(queries, words, time), dOutTransposed(outs, words, time);
    packTransposed(qRows, time, words, qTransposed);
    packTransposed(dOutRows, time, words, dOutTransposed);
    Panels qPanels(queryRows, sumWords, headWidth), dOutPanels(outRows, sumWords, headWidth);
    Panels kPanels(keyRows, sumWords, headWidth);
    packRows<Words>(q.first, q.stride, time, headWidth, qPanels);
    packRows<Words>(dOut.first, dOut.stride, time, headWidth, dOutPanels);
    packRows<Words>(k.first, k.stride, time, headWidth, kPanels);

    float* scores = tiles.floats((2 * ROWS + KEYS / Words::VALUES + 2) * stride + (rows + ROWS) * width);
    float* gradients = scores + ROWS * stride;
    float* blockGradients = gradients + ROWS * stride;
    float* lse = blockGradients + KEYS / Words::VALUES * stride;
    float* delta = lse + stride;
    float* sums = delta + stride;
    float* dQSums = sums + ROWS * width;
    memset(lse, 0, 2 * stride * sizeof(float));
    memset(dQSums, 0, rows * width * sizeof(float));
    memcpy(lse, logSumExp, time * sizeof(float));
    for (int i = 0; i < time; i++) {
        V dot = {};
        eachVector(headWidth, [&](int64_t c, auto values) {
            dot = multiplyAdd(load(out.row(i) + c, values), load(dOut.row(i) + c, values), dot);
        });
        delta[i] = sum(dot);
    }

    for (int block = 0; block < time; block += KEYS) {
        int blockEnd = block + KEYS < time ? block + KEYS : time;
        for (int j = block; j < blockEnd; j += ROWS) {
            int first = j / LANES * LANES;
            multiply<Words>(
                    Rows{kRows + (int64_t) j * words, words, 1}, qTransposed, 0, words, first, time, scores, stride, false);
            multiply<Words>(
                    Rows{vRows + (int64_t) j * words, words, 1}, dOutTransposed, 0, words, first, time, gradients, stride,
                    false);
            for (int row = 0; row < ROWS; row++) {
                softmaxColumn<Words>(
                        scores + row * stride, gradients + row * stride, j + row, first, time, lse, delta, scale);
            }
            typedef typename Words::Value Value;
            for (int row = 0; row < ROWS; row += Words::VALUES) {
                float* target = blockGradients + (j - block + row) / Words::VALUES * stride;
                const Value* one = (const Value*) (gradients + row * stride);
                const Value* next = (const Value*) (gradients + (row + 1) * stride);
                for (int i = block / LANES * LANES; i < first; i += LANES) {
                    store(target + i, V{});
                }
                for (int i = first; i < time; i += LANES) {
                    store(target + i, interleave<Words>(one + i, next + i, Whole()));
                }
            }
            int firstWord = first / Words::VALUES;
            multiply<Words>(Rows{(const uint32_t*) scores + firstWord, stride, 1}, dOutPanels, firstWord,
                            sumWords - firstWord, 0, headWidth, sums, width, false);
            for (int row = 0; row < ROWS && j + row < time; row++) {
                storeRow(sums + row * width, dV.row(j + row), headWidth, 1);
            }
            multiply<Words>(Rows{(const uint32_t*) gradients + firstWord, stride, 1}, qPanels, firstWord,
                            sumWords - firstWord, 0, headWidth, sums, width, false);
            for (int row = 0; row < ROWS && j + row < time; row++) {
                storeRow(sums + row * width, dK.row(j + row), headWidth, 1);
            }
        }
        for (int i = block; i < time; i += ROWS) {
            int end = i + ROWS < blockEnd ? i + ROWS : blockEnd;
            multiply<Words>(
                    Rows{(const uint32_t*) blockGradients + i, 1, stride}, kPanels, block / Words::VALUES,
                    (end - block + Words::VALUES - 1) / Words::VALUES, 0, headWidth, dQSums + i * width, width, true);
        }
    }
    for (int i = 0; i < time; i++) {
        storeRow(dQSums + i * width, dQ.row(i), headWidth, 1);
    }
}

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

template <class T>
static inline void attentionForward(
        int threads, const T* qkv, T* out, float* logSumExp, int batch, int time, int heads, int headWidth) {
    const int width = heads * headWidth;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int index = 0; index < batch * heads; index++) {
        Head<const T> q(qkv, 3 * width, index, time, heads, 0, headWidth);
        Head<const T> k(qkv, 3 * width, index, time, heads, width, headWidth);
        Head<const T> v(qkv, 3 * width, index, time, heads, 2 * width, headWidth);
        Head<T> o(out, width, index, time, heads, 0, headWidth);
        attendHead<typename AttentionWords<T>::Words>(
                q, k, v, o, logSumExp + (int64_t) index * time, time, headWidth);
    }
}

template <class T>
static inline void attentionBackward(
        int threads, const T* qkv, const T* out, const float* logSumExp, const T* dOut, T* dQkv, int batch, int time,
        int heads, int headWidth) {
    const int width = heads * headWidth;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int index = 0; index < batch * heads; index++) {
        Head<const T> q(qkv, 3 * width, index, time, heads, 0, headWidth);
        Head<const T> k(qkv, 3 * width, index, time, heads, width, headWidth);
        Head<const T> v(qkv, 3 * width, index, time, heads, 2 * width, headWidth);
        Head<const T> o(out, width, index, time, heads, 0, headWidth);
        Head<const T> d(dOut, width, index, time, heads, 0, headWidth);
        Head<T> dQ(dQkv, 3 * width, index, time, heads, 0, headWidth);
        Head<T> dK(dQkv, 3 * width, index, time, heads, width, headWidth);
        Head<T> dV(dQkv, 3 * width, index, time, heads, 2 * width, headWidth);
        attendHeadBackward<typename AttentionWords<T>::Words>(
                q, k, v, o, logSumExp + (int64_t) index * time, d, dQ, dK, dV, time, headWidth);
    }
}
