#include "sums.h"

template <class T>
DEVICE void sumOfSquares(const T* values, int64_t length, double* sums) {
    Lanes lanes;
    blockOctets(length, areAligned(values), [&](int64_t i, auto octet) {
        float x[OCTET];
        octet.load(values + i, x);
        lanes.addSquares(octet, x);
    });
    const double sum = lanes.sum();
    if (writesBlock(length)) {
        sums[ownBlock()] = sum;
    }
}

/// sums [blocks].
KERNEL(THREADS, sumOfSquares_float, const float* values, int64_t length, double* sums) {
    sumOfSquares(values, length, sums);
}

KERNEL(THREADS, sumOfSquares_bfloat16, const uint16_t* values, int64_t length, double* sums) {
    sumOfSquares(values, length, sums);
}
