// Sums over the rows of a matrix.
#include "columns.h"

/// sums [width] = the sums over [chunks] of partial, whose rows are stride apart.
template <class T>
DEVICE void addChunks(const float* partial, int chunks, int stride, T* sums, int width) {
    const int column = (int) threadIndex();
    if (column < width) {
        float total = 0;
        for (int chunk = 0; chunk < chunks; chunk++) {
            total += partial[(int64_t) chunk * stride + column];
        }
        store(sums + column, total);
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
    KERNEL(THREADS, addChunks##suffix, const float* partial, int chunks, int stride, T* sums, int width) { \
        addChunks(partial, chunks, stride, sums, width); \
    }

COLUMNS_KERNELS(_float, float)
COLUMNS_KERNELS(_bfloat16, uint16_t)
