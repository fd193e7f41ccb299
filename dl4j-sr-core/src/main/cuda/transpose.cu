// Transposed copies.
#include "device.h"

/// y [columns, rows] = x [rows, columns] transposed, a block a tile.
template <class T>
DEVICE void transpose(const T* x, T* y, int rows, int columns) {
    __shared__ T tile[WARP][WARP + 4 / sizeof(T)]; // rows start one bank apart
    const int row = blockIdx.y * WARP, column = blockIdx.x * WARP;
    for (int i = threadIdx.x / WARP; i < WARP; i += WARPS) {
        if (row + i < rows && column + lane() < columns) {
            tile[i][lane()] = x[(int64_t) (row + i) * columns + column + lane()];
        }
    }
    __syncthreads();
    for (int i = threadIdx.x / WARP; i < WARP; i += WARPS) {
        if (column + i < columns && row + lane() < rows) {
            y[(int64_t) (column + i) * rows + row + lane()] = tile[lane()][i];
        }
    }
}

#define TRANSPOSE_KERNELS(suffix, T) \
    KERNEL(THREADS, transpose##suffix, const T* x, T* y, int rows, int columns) { transpose(x, y, rows, columns); }

TRANSPOSE_KERNELS(_float, float)
TRANSPOSE_KERNELS(_bfloat16, uint16_t)
