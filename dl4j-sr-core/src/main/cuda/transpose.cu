// Transposed copies.
#include "device.h"

/// A square tile in shared memory whose rows and columns can both be accessed by octets: the octets of a row are
/// permuted so that neither meet in a bank.
template <class T>
struct SquareTile {
    alignas(16) T memory[SQUARE * SQUARE];

    METHOD T* at(int row, int column) {
        return memory + row * SQUARE + (column / OCTET ^ row / OCTET) * OCTET + column % OCTET;
    }
};

/// y [columns, rows] = x [rows, columns] transposed, a block a tile.
template <class T>
DEVICE void transpose(const T* x, T* y, int rows, int columns) {
    static const int OCTETS = SQUARE / OCTET;
    __shared__ SquareTile<T> tile;
    const int row = blockIdx.y * SQUARE, column = blockIdx.x * SQUARE;
    const bool aligned = areAligned(x, y) && rows % OCTET == 0 && columns % OCTET == 0;
    UNROLLED
    for (int i = 0; i < SQUARE; i += THREADS / OCTETS) {
        const int r = i + threadIdx.x / OCTETS, c = threadIdx.x % OCTETS * OCTET;
        if (row + r < rows) {
            const T* in = x + (int64_t) (row + r) * columns;
            rowOctet(columns, aligned, column + c, [&](int first, auto octet) {
                float v[OCTET];
                octet.load(in + first, v);
                UNROLLED
                for (int k = 0; k < OCTET; k++) {
                    storeBits(tile.at(c + k, r), bits(v[k]));
                }
            });
        }
    }
    __syncthreads();
    UNROLLED
    for (int i = 0; i < SQUARE; i += THREADS / OCTETS) {
        const int c = i + threadIdx.x / OCTETS, r = threadIdx.x % OCTETS * OCTET;
        if (column + c < columns) {
            T* out = y + (int64_t) (column + c) * rows;
            rowOctet(rows, aligned, row + r, [&](int first, auto octet) {
                float v[OCTET];
                U b[OCTET];
                Whole().load(tile.at(c, r), v);
                UNROLLED
                for (int k = 0; k < OCTET; k++) {
                    b[k] = bits(v[k]);
                }
                octet.storeBits(out + first, b);
            });
        }
    }
}

#define TRANSPOSE_KERNELS(suffix, T) \
    KERNEL(THREADS, transpose##suffix, const T* x, T* y, int rows, int columns) { transpose(x, y, rows, columns); }

TRANSPOSE_KERNELS(_float, float)
TRANSPOSE_KERNELS(_bfloat16, uint16_t)
