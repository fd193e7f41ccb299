// Activation functions over arrays, and their gradients.
#include "columns.h"

typedef float V;
#define SIMD_FUNCTION DEVICE

DEVICE V broadcast(float x) { return x; }
DEVICE V multiplyAdd(V a, V b, V c) { return fmaf(a, b, c); }
DEVICE V maximum(V a, V b) { return a > b ? a : b; }
DEVICE V minimum(V a, V b) { return a < b ? a : b; }
DEVICE V reciprocal(V x) { return approximateReciprocal(x); }
DEVICE V power2(V t) { return approximatePower2(t); }

#include "activations.h"

template <class Activation, class T>
DEVICE void activationForward(const T* x, T* y, int64_t length) {
    const int shift = shiftOf(y);
    eachOctet(length, shift, areAligned(x - shift, y - shift), [&](int64_t i, auto octet) {
        float v[OCTET];
        octet.load(x + i, v);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            v[k] = Activation::value(v[k]);
        }
        store(octet, y + i, v);
    });
}

template <class Activation, class T>
DEVICE void activationBackward(const T* x, const T* dy, T* y, T* dx, float* partial, int rows, int width) {
    sumRows<1>(rows, width, areAligned(x, dy, y, dx) && width % OCTET == 0, partial,
               [&](int row, int c, auto octet, float (&values)[1][OCTET]) {
        const int64_t i = (int64_t) row * width + c;
        float v[OCTET];
        octet.load(x + i, v);
        octet.load(dy + i, values[0]);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            values[0][k] *= Activation::derivative(v[k], v[k]);
        }
        if (y) {
            store(octet, y + i, v);
        }
        store(octet, dx + i, values[0]);
    });
}

// The kernels are named by Activation and FloatType.

#define KERNELS_OF_TYPE(Activation, suffix, T) \
    KERNEL(THREADS, Activation##_forward##suffix, const T* x, T* y, int64_t length) { \
        activationForward<Activation>(x, y, length); \
    } \
    KERNEL(THREADS, Activation##_backward##suffix, const T* x, const T* dy, T* y, T* dx, float* partial, \
           int rows, int width) { \
        activationBackward<Activation>(x, dy, y, dx, partial, rows, width); \
    }

#define ACTIVATION_KERNELS(Activation) \
    KERNELS_OF_TYPE(Activation, _float, float) \
    KERNELS_OF_TYPE(Activation, _bfloat16, uint16_t)

ACTIVATIONS(ACTIVATION_KERNELS)
