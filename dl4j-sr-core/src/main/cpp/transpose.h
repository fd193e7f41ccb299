// Transposition by rounds of interleaving.

/// Transposes a square tile of as many vectors as a vector has values.
template <class Vector>
SIMD_FUNCTION void transposeTile(Vector* x) {
    typedef decltype(Vector{} < Vector{}) Index;
    const int size = LANES;
    Index low, high;
    for (int i = 0; i < size; i++) {
        low[i] = i / 2 + i % 2 * size;
        high[i] = size / 2 + i / 2 + i % 2 * size;
    }
    for (int round = 1; round < size; round *= 2) {
        Vector y[size];
        for (int i = 0; i < size / 2; i++) {
            y[2 * i] = __builtin_shuffle(x[i], x[i + size / 2], low);
            y[2 * i + 1] = __builtin_shuffle(x[i], x[i + size / 2], high);
        }
        for (int i = 0; i < size; i++) {
            x[i] = y[i];
        }
    }
}

template <class T>
struct TileVectors {
    typedef Bits Vector;
    typedef UnalignedBits Unaligned;
};

template <>
struct TileVectors<uint16_t> {
    typedef Halves Vector;
    typedef UnalignedHalves Unaligned;
};

/// The columns that are transposed together: their rows of y stay in reach of the address translation.
static const int COLUMN_BLOCK = 256;

template <class T>
static inline void transpose(int threads, const T* x, T* y, int rows, int columns) {
    typedef typename TileVectors<T>::Vector Vector;
    typedef typename TileVectors<T>::Unaligned Unaligned;
    const int tiles = 64 / sizeof(Vector); // of a strip of rows, which become whole cache lines of y
    const int strips = (rows + tiles * LANES - 1) / (tiles * LANES);
    const int blocks = (columns + COLUMN_BLOCK - 1) / COLUMN_BLOCK;
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf((int64_t) rows * columns)))
    for (int part = 0; part < blocks * strips; part++) {
        const int row = part % strips * tiles * LANES, firstColumn = part / strips * COLUMN_BLOCK;
        const int rowEnd = row + tiles * LANES < rows ? row + tiles * LANES : rows;
        const int columnEnd = firstColumn + COLUMN_BLOCK < columns ? firstColumn + COLUMN_BLOCK : columns;
        for (int column = firstColumn; column < columnEnd; column += LANES) {
            if (rowEnd - row == tiles * LANES && column + LANES <= columnEnd) {
                Vector tile[tiles][LANES];
                for (int t = 0; t < tiles; t++) {
                    for (int i = 0; i < LANES; i++) {
                        tile[t][i] = *(const Unaligned*) (x + (int64_t) (row + t * LANES + i) * columns + column);
                    }
                    transposeTile(tile[t]);
                }
                for (int i = 0; i < LANES; i++) {
                    for (int t = 0; t < tiles; t++) {
                        *(Unaligned*) (y + (int64_t) (column + i) * rows + row + t * LANES) = tile[t][i];
                    }
                }
            } else {
                for (int r = row; r < rowEnd; r++) {
                    for (int c = column; c < column + LANES && c < columnEnd; c++) {
                        memcpy(y + (int64_t) c * rows + r, x + (int64_t) r * columns + c, sizeof(T));
                    }
                }
            }
        }
    }
}
