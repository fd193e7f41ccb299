// What cuBLAS leaves to do around a product: gathering operands, and adding more than one term to the result.
#include "device.h"

/// Strides, in elements, of an array over the four dimensions of a loop.
struct Strides {
    int64_t s0, s1, s2, s3;

    METHOD int64_t at(int64_t i0, int64_t i1, int64_t i2, int64_t i3) const {
        return i0 * s0 + i1 * s1 + i2 * s2 + i3 * s3;
    }
};

/// target = source + beta * target + bias + residual, rounded once; bias and residual may be null.
template <class S, class T>
DEVICE void combine(
        int64_t n0, int64_t n1, int64_t n2, int64_t n3, const S* source, Strides from, T* target, Strides to,
        const T* bias, Strides ofBias, const T* residual, Strides ofResidual, float beta) {
    for (int64_t i = threadIndex(); i < n0 * n1 * n2 * n3; i += threads()) {
        const int64_t i3 = i % n3, i2 = i / n3 % n2, i1 = i / n3 / n2 % n1, i0 = i / n3 / n2 / n1;
        T* const result = target + to.at(i0, i1, i2, i3);
        float x = load(source + from.at(i0, i1, i2, i3));
        if (beta != 0) {
            x += beta * load(result);
        }
        if (bias) {
            x += load(bias + ofBias.at(i0, i1, i2, i3));
        }
        if (residual) {
            x += load(residual + ofResidual.at(i0, i1, i2, i3));
        }
        store(result, x);
    }
}

#define COMBINE(name, S, T) \
    KERNEL(THREADS, name, int64_t n0, int64_t n1, int64_t n2, int64_t n3, const S* source, int64_t s0, int64_t s1, \
           int64_t s2, int64_t s3, T* target, int64_t t0, int64_t t1, int64_t t2, int64_t t3, const T* bias, \
           int64_t b0, int64_t b1, int64_t b2, int64_t b3, const T* residual, int64_t r0, int64_t r1, int64_t r2, \
           int64_t r3, float beta) { \
        combine(n0, n1, n2, n3, source, Strides{s0, s1, s2, s3}, target, Strides{t0, t1, t2, t3}, bias, \
                Strides{b0, b1, b2, b3}, residual, Strides{r0, r1, r2, r3}, beta); \
    }

COMBINE(combine_float_float, float, float)
COMBINE(combine_float_bfloat16, float, uint16_t)
COMBINE(combine_bfloat16_bfloat16, uint16_t, uint16_t)
