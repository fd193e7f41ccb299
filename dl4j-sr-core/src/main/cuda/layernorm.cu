// Layer normalization (Ba, Kiros, Hinton, arXiv 1607.06450): a warp a row.
#include "columns.h"

template <class T>
DEVICE void layerNormForward(
        const T* x, const T* gain, const T* bias, T* y, float* mean, float* rstd, int rows, int width, float epsilon) {
    const int row = warpRow();
    if (row >= rows) {
        return;
    }
    const T* in = x + (int64_t) row * width;
    T* out = y + (int64_t) row * width;
    const bool aligned = areAligned(in, out, gain, bias);
    float sum = 0;
    rowOctets(width, aligned, lane(), WARP, [&](int c, auto octet) {
        float v[OCTET];
        octet.load(in + c, v);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            sum += v[k];
        }
    });
    const float center = warpSum(sum) / width;
    float squares = 0;
    rowOctets(width, aligned, lane(), WARP, [&](int c, auto octet) {
        float v[OCTET];
        octet.load(in + c, v);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            const float deviation = octet.has(k) ? v[k] - center : 0;
            squares = fmaf(deviation, deviation, squares);
        }
    });
    const float scale = 1 / sqrtf(warpSum(squares) / width + epsilon);
    rowOctets(width, aligned, lane(), WARP, [&](int c, auto octet) {
        float v[OCTET], g[OCTET], b[OCTET];
        octet.load(in + c, v);
        octet.load(gain + c, g);
        octet.load(bias + c, b);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            v[k] = fmaf((v[k] - center) * scale, g[k], b[k]);
        }
        store(octet, out + c, v);
    });
    if (lane() == 0) {
        mean[row] = center;
        rstd[row] = scale;
    }
}

template <class T>
DEVICE void layerNormBackward(
        const T* x, const T* gain, const float* mean, const float* rstd, const T* dy, const T* residual, T* dx,
        int rows, int width) {
    const int row = warpRow();
    if (row >= rows) {
        return;
    }
    const int64_t start = (int64_t) row * width;
    const bool aligned = areAligned(x + start, gain, dy + start, dx + start)
            && (!residual || areAligned(residual + start));
    const float center = mean[row], scale = rstd[row];
    float total = 0, product = 0;
    rowOctets(width, aligned, lane(), WARP, [&](int c, auto octet) {
        float v[OCTET], g[OCTET], d[OCTET];
        octet.load(x + start + c, v);
        octet.load(gain + c, g);
        octet.load(dy + start + c, d);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            const float gradient = d[k] * g[k];
            total += gradient;
            product = fmaf(gradient, (v[k] - center) * scale, product);
        }
    });
    const float shift = warpSum(total) / width, slope = warpSum(product) / width;
    rowOctets(width, aligned, lane(), WARP, [&](int c, auto octet) {
        float v[OCTET], g[OCTET], d[OCTET], r[OCTET] = {};
        octet.load(x + start + c, v);
        octet.load(gain + c, g);
        octet.load(dy + start + c, d);
        if (residual) {
            octet.load(residual + start + c, r);
        }
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            const float normalized = (v[k] - center) * scale;
            v[k] = fmaf(fmaf(normalized, -slope, fmaf(d[k], g[k], -shift)), scale, r[k]);
        }
        store(octet, dx + start + c, v);
    });
}

/// The partial sums of dGain and dBias.
template <class T>
DEVICE void layerNormGradients(
        const T* x, const float* mean, const float* rstd, const T* dy, float* partial, int rows, int width) {
    sumRows<2>(rows, width, areAligned(x, dy) && width % OCTET == 0, partial,
               [&](int row, int c, auto octet, float (&values)[2][OCTET]) {
        const int64_t i = (int64_t) row * width + c;
        const float center = mean[row], scale = rstd[row];
        float v[OCTET];
        octet.load(x + i, v);
        octet.load(dy + i, values[1]);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            values[0][k] = values[1][k] * ((v[k] - center) * scale);
        }
    });
}

#define LAYERNORM_KERNELS(suffix, T) \
    KERNEL(THREADS, layerNormForward##suffix, const T* x, const T* gain, const T* bias, T* y, float* mean, \
           float* rstd, int rows, int width, float epsilon) { \
        layerNormForward(x, gain, bias, y, mean, rstd, rows, width, epsilon); \
    } \
    KERNEL(THREADS, layerNormBackward##suffix, const T* x, const T* gain, const float* mean, const float* rstd, \
           const T* dy, const T* residual, T* dx, int rows, int width) { \
        layerNormBackward(x, gain, mean, rstd, dy, residual, dx, rows, width); \
    } \
    KERNEL(THREADS, layerNormGradients##suffix, const T* x, const float* mean, const float* rstd, const T* dy, \
           float* partial, int rows, int width) { \
        layerNormGradients(x, mean, rstd, dy, partial, rows, width); \
    }

LAYERNORM_KERNELS(_float, float)
LAYERNORM_KERNELS(_bfloat16, uint16_t)
