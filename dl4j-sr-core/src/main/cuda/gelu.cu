// GELU in the tanh form (Hendrycks, Gimpel, arXiv 1606.08415): 0.5 x (1 + tanh(t / 2)) = x / (1 + e^-t).
#include "columns.h"

static constexpr float GELU_LINEAR = 1.5957691216f; // 2 sqrt(2 / pi)
static constexpr float GELU_CUBIC = 0.044715f * GELU_LINEAR;

/// Of t = x * factor * log2(e): e^-|t|, 1 / (1 + e^-|t|), and 1 / (1 + e^-t), with no loss of digits for any t.
struct Sigmoid {
    float exponent, inverse, value;

    METHOD Sigmoid(float x, float factor) {
        exponent = exp2f(-fabsf(x * factor));
        inverse = __fdividef(1, exponent + 1);
        value = x > 0 ? inverse : exponent * inverse;
    }
};

/// Relative error below 2^-17, most of it from rounding t.
DEVICE float gelu(float x) {
    return x * Sigmoid(x, fmaf(x * x, GELU_CUBIC * LOG2_E, GELU_LINEAR * LOG2_E)).value;
}

/// Absolute error below 2^-20.
DEVICE float geluDerivative(float x) {
    const float limited = x > 16 ? 16 : x < -16 ? -16 : x; // 1 and 0 from there on
    const float square = limited * limited;
    const Sigmoid sigmoid(limited, fmaf(square, GELU_CUBIC * LOG2_E, GELU_LINEAR * LOG2_E));
    const float slope = limited * fmaf(square, 3 * GELU_CUBIC, GELU_LINEAR);
    return fmaf(slope, sigmoid.exponent * sigmoid.inverse * sigmoid.inverse, sigmoid.value);
}

template <class T>
DEVICE void geluForward(const T* x, T* y, int64_t length) {
    const int shift = shiftOf(y);
    eachOctet(length, shift, areAligned(x - shift, y - shift), [&](int64_t i, auto octet) {
        float v[OCTET];
        octet.load(x + i, v);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            v[k] = gelu(v[k]);
        }
        store(octet, y + i, v);
    });
}

template <class T>
DEVICE void geluBackward(const T* x, const T* dy, T* dx, float* partial, int rows, int width) {
    sumRows<1>(rows, width, areAligned(x, dy, dx) && width % OCTET == 0, partial,
               [&](int row, int c, auto octet, float (&values)[1][OCTET]) {
        const int64_t i = (int64_t) row * width + c;
        float v[OCTET];
        octet.load(x + i, v);
        octet.load(dy + i, values[0]);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            values[0][k] *= geluDerivative(v[k]);
        }
        store(octet, dx + i, values[0]);
    });
}

#define GELU_KERNELS(suffix, T) \
    KERNEL(THREADS, geluForward##suffix, const T* x, T* y, int64_t length) { geluForward(x, y, length); } \
    KERNEL(THREADS, geluBackward##suffix, const T* x, const T* dy, T* dx, float* partial, int rows, int width) { \
        geluBackward(x, dy, dx, partial, rows, width); \
    }

GELU_KERNELS(_float, float)
GELU_KERNELS(_bfloat16, uint16_t)
