// Products of small matrices of 32-bit words: a word is one FP32 value, or two BF16 values that are neighbours along
// the sum. The left factor lies in rows of words, the right one in panels. What pads a factor is zero, so any shape
// works.
//
// How words are multiplied is a class with the members
//   VALUES, Value, put(target, x)    values a word, their type, and how a vector of them is stored
//   combine(first, second)           the words of the values of two rows, which become neighbours
//   ROWS                             of the left factor that are multiplied at once
//   WORDS                            to whose multiple factors are padded along the sum
//   multiplyTile<COUNT, ADD>(...)    c [ROWS, COUNT vectors] = a b, or added to it
//   transposed(...)                  the left factor whose transpose is given
//   Session                          exists on each thread while it multiplies

static const int VECTORS = 2;
static const int PANEL = VECTORS * LANES;

/// A left factor of ROWS rows.
struct Rows {
    const uint32_t* memory;
    int64_t rowStride, wordStride;
};

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

/// Multiplies words of the left factor with vectors of the right one, as many at once as the registers hold sums.
template <class Words>
struct VectorProducts {
    static const int ROWS = SIMD_BYTES == 64 ? 8 : 6;
    static const int WORDS = 1;

    struct Session {
        Session() {}
    };

    template <int COUNT, bool ADD>
    SIMD_FUNCTION void multiplyTile(Rows a, int words, const uint32_t* b, float* c, int64_t cStride) {
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
                store(target, ADD ? load(target) + sums[row][v] : sums[row][v]);
            }
        }
    }

    static Rows transposed(const uint32_t* source, int64_t stride, int, uint32_t*) { return Rows{source, 1, stride}; }
};

/// Words of one FP32 value; BF16 arrays are widened.
struct FloatWords : VectorProducts<FloatWords> {
    static const int VALUES = 1;
    typedef float Value;

    SIMD_FUNCTION V addProduct(V sum, V a, V b) { return multiplyAdd(a, b, sum); }

    SIMD_FUNCTION void put(float* target, V x) { store(target, x); }

    SIMD_FUNCTION V combine(V first, V) { return first; }
};

#ifdef DL4JSR_AVX512BF16
/// Words of two BF16 values. Products of subnormal values are zero.
struct BFloat16Words : VectorProducts<BFloat16Words> {
    static const int VALUES = 2;
    typedef uint16_t Value;

    SIMD_FUNCTION V addProduct(V sum, V a, V b) {
        return (V) _mm512_dpbf16_ps((__m512) sum, (__m512bh) a, (__m512bh) b);
    }

    SIMD_FUNCTION void put(uint16_t* target, V x) { store(target, x); }

    SIMD_FUNCTION V combine(V first, V second) { return (V) ((Bits) first >> 16 | (Bits) second); }
};

/// The same words, multiplied by AMX's tiles or their emulation: two tiles of rows by two of columns at once.
template <class Tiles>
struct TileWords : BFloat16Words {
    static const int TILE = 16; // rows, columns or words
    static const int ROWS = 2 * TILE;
    static const int WORDS = TILE;

    struct Session {
        Session() { Tiles::configure(LARGEST_TILES); }
        ~Session() { Tiles::release(); }
    };

    template <int COUNT, bool ADD>
    static inline void multiplyTile(Rows a, int words, const uint32_t* b, float* c, int64_t cStride) {
        const int64_t leftBytes = a.rowStride * sizeof(uint32_t), rightBytes = PANEL * sizeof(uint32_t),
                      sumBytes = cStride * sizeof(float);
        float* const below = c + TILE * cStride;
        if (ADD) {
            Tiles::template load<0>(c, sumBytes);
            Tiles::template load<2>(below, sumBytes);
        } else {
            Tiles::template zero<0>();
            Tiles::template zero<2>();
        }
        if (COUNT == 2) {
            if (ADD) {
                Tiles::template load<1>(c + TILE, sumBytes);
                Tiles::template load<3>(below + TILE, sumBytes);
            } else {
                Tiles::template zero<1>();
                Tiles::template zero<3>();
            }
        }
        for (int word = 0; word < words; word += TILE) {
            Tiles::template load<4>(a.memory + word, leftBytes);
            Tiles::template load<5>(a.memory + TILE * a.rowStride + word, leftBytes);
            Tiles::template load<6>(b + word * PANEL, rightBytes);
            Tiles::template multiplyAdd<0, 4, 6>();
            Tiles::template multiplyAdd<2, 5, 6>();
            if (COUNT == 2) {
                Tiles::template load<7>(b + word * PANEL + TILE, rightBytes);
                Tiles::template multiplyAdd<1, 4, 7>();
                Tiles::template multiplyAdd<3, 5, 7>();
            }
        }
        Tiles::template store<0>(c, sumBytes);
        Tiles::template store<2>(below, sumBytes);
        if (COUNT == 2) {
            Tiles::template store<1>(c + TILE, sumBytes);
            Tiles::template store<3>(below + TILE, sumBytes);
        }
    }

    /// Tiles are loaded by rows: transposes into a buffer of ROWS rows.
    static Rows transposed(const uint32_t* source, int64_t stride, int words, uint32_t* buffer) {
        for (int row = 0; row < ROWS; row += LANES) {
            for (int word = 0; word < words; word += LANES) {
                Bits x[LANES];
                for (int i = 0; i < LANES; i++) {
                    x[i] = *(const UnalignedBits*) (source + (word + i) * stride + row);
                }
                transposeTile(x);
                for (int i = 0; i < LANES; i++) {
                    *(UnalignedBits*) (buffer + (row + i) * words + word) = x[i];
                }
            }
        }
        return Rows{buffer, words, 1};
    }
};
#endif

/// The words of so many values along the sum, padded.
template <class Words>
static inline int wordsOf(int values) {
    return roundUp((values + Words::VALUES - 1) / Words::VALUES, Words::WORDS);
}

/// c = a times the rows [word, word + words) and columns [column, end) of b, or added to it; column is a multiple of
/// LANES, and the last vector is written whole. Always inline, as its tiles of vectors are: left to itself the compiler
/// keeps one copy for all callers, with which attention's forward pass is 8 % slower.
template <class Words, bool ADD = false>
SIMD_FUNCTION void multiply(
        Rows a, const Panels& b, int word, int words, int column, int end, float* c, int64_t cStride) {
    while (column < end) {
        if (column % PANEL == 0 && end - column > LANES) {
            Words::template multiplyTile<2, ADD>(a, words, b.at(word, column), c + column, cStride);
            column += PANEL;
        } else {
            Words::template multiplyTile<1, ADD>(a, words, b.at(word, column), c + column, cStride);
            column += LANES;
        }
    }
}
