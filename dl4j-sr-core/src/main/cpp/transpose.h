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

template <class T>
static inline void transpose(int threads, const T* x, T* y, int rows, int columns) {
    typedef typename TileVectors<T>::Vector Vector;
    typedef typename TileVectors<T>::Unaligned Unaligned;
    const int strip = 2 * LANES; // whole cache lines of y
    const int strips = (rows + strip - 1) / strip;
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf((int64_t) rows * columns)))
    for (int s = 0; s < strips; s++) {
        const int end = (s + 1) * strip < rows ? (s + 1) * strip : rows;
        for (int column = 0; column < columns; column += LANES) {
            for (int row = s * strip; row < end; row += LANES) {
                if (row + LANES <= end && column + LANES <= columns) {
                    Vector tile[LANES];
                    for (int i = 0; i < LANES; i++) {
                        tile[i] = *(const Unaligned*) (x + (int64_t) (row + i) * columns + column);
                    }
                    transposeTile(tile);
                    for (int i = 0; i < LANES; i++) {
                        *(Unaligned*) (y + (int64_t) (column + i) * rows + row) = tile[i];
                    }
                } else {
                    for (int r = row; r < row + LANES && r < end; r++) {
                        for (int c = column; c < column + LANES && c < columns; c++) {
                            memcpy(y + (int64_t) c * rows + r, x + (int64_t) r * columns + c, sizeof(T));
                        }
                    }
                }
            }
        }
    }
}
