// Sums over the rows of a matrix.
#include "columns.h"

/// sums [width] and more [columns - width] = the sums over [chunks] of partial [chunks, columns], a block WARP columns.
template <class T>
DEVICE void addChunks(const float* partial, int chunks, int columns, T* sums, T* more, int width) {
    __shared__ float shared[WARPS][WARP];
    const int column = blockIdx.x * WARP + lane();
    float total = 0;
    if (column < columns) {
        UNROLLED_BY_8
        for (int chunk = threadIdx.x / WARP; chunk < chunks; chunk += WARPS) {
            total += partial[(int64_t) chunk * columns + column];
        }
    }
    shared[threadIdx.x / WARP][lane()] = total;
    __syncthreads();
    if (threadIdx.x < WARP && column < columns) {
        for (int warp = 1; warp < WARPS; warp++) {
            total += shared[warp][lane()];
        }
        store(column < width ? sums + column : more + (column - width), total);
    }
}

template <class T>
DEVICE void biasGradient(const T* dy, float* partial, int rows, int width) {
    sumRows<1>(rows, width, areAligned(dy) && width % OCTET == 0, partial,
               [&](int row, int c, auto octet, float (&values)[1][OCTET]) {
        octet.load(dy + (int64_t) row * width + c, values[0]);
    });
}

#define COLUMNS_KERNELS(suffix, T) \
    KERNEL(THREADS, biasGradient##suffix, const T* dy, float* partial, int rows, int width) { \
        biasGradient(dy, partial, rows, width); \
    } \
    KERNEL(THREADS, addChunks##suffix, const float* partial, int chunks, int columns, T* sums, \
           T* more, int width) { \
        addChunks(partial, chunks, columns, sums, more, width); \
    }

COLUMNS_KERNELS(_float, float)
COLUMNS_KERNELS(_bfloat16, uint16_t)
