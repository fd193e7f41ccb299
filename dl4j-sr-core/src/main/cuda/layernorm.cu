// Layer normalization (Ba, Kiros, Hinton, arXiv 1607.06450): a warp a row.
#include "columns.h"

/// The octets of a row that a thread keeps, MOST of them; `threads` threads share a row.
template <class T, int MOST = HELD_OCTETS>
struct HeldRow {
    Packed<T> octets[MOST];

    METHOD static int column(int j, int thread, int threads) { return (j * threads + thread) * OCTET; }

    /// Of a row of whole octets.
    METHOD void load(const T* row, int width, int thread, int threads) {
        UNROLLED
        for (int j = 0; j < MOST; j++) {
            const int c = column(j, thread, threads);
            if (c < width) {
                octets[j].load(row + c);
            }
        }
    }
};

/// A row of a warp that is read once.
template <class T>
struct KeptRow {
    HeldRow<T> held;
    int width;

    METHOD KeptRow(const T* row, int width) : width(width) { held.load(row, width, lane(), WARP); }

    METHOD static bool fits(int width) { return width <= HELD_OCTETS * WARP * OCTET && width % OCTET == 0; }

    /// Calls body(column, Whole or Part, values) for the lane's octets.
    template <class Body>
    METHOD void each(Body body) const {
        UNROLLED
        for (int j = 0; j < HELD_OCTETS; j++) {
            const int c = HeldRow<T>::column(j, lane(), WARP);
            if (c < width) {
                float v[OCTET];
                held.octets[j].unpack(v);
                body(c, Whole(), v);
            }
        }
    }
};

/// Any other row; it is read each time.
template <class T>
struct ReadRow {
    const T* row;
    int width;
    bool aligned;

    template <class Body>
    METHOD void each(Body body) const {
        rowOctets(width, aligned, lane(), WARP, [&](int c, auto octet) {
            float v[OCTET];
            octet.load(row + c, v);
            body(c, octet, v);
        });
    }
};

template <class Row, class T>
DEVICE void layerNormForward(
        const Row& in, const T* gain, const T* bias, T* out, float* mean, float* rstd, int width, float epsilon) {
    float sum = 0, squares = 0;
    in.each([&](int, auto, float (&v)[OCTET]) {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            sum += v[k];
        }
    });
    const float center = warpSum(sum) / width;
    in.each([&](int, auto octet, float (&v)[OCTET]) {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            const float deviation = octet.has(k) ? v[k] - center : 0;
            squares = fmaf(deviation, deviation, squares);
        }
    });
    const float scale = 1 / sqrtf(warpSum(squares) / width + epsilon);
    in.each([&](int c, auto octet, float (&v)[OCTET]) {
        float g[OCTET], b[OCTET];
        octet.load(gain + c, g);
        octet.load(bias + c, b);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            b[k] = fmaf((v[k] - center) * scale, g[k], b[k]);
        }
        store(octet, out + c, b);
    });
    if (lane() == 0) {
        *mean = center;
        *rstd = scale;
    }
}

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
    if (aligned && KeptRow<T>::fits(width)) {
        layerNormForward(KeptRow<T>(in, width), gain, bias, out, mean + row, rstd + row, width, epsilon);
    } else {
        layerNormForward(ReadRow<T>{in, width, aligned}, gain, bias, out, mean + row, rstd + row, width, epsilon);
    }
}

/// The sums of x and y over the teams of `warps` warps each.
DEVICE float2 teamSums(float x, float y, int warps, int parity) {
    __shared__ float2 shared[2][WARPS];
    float2 sums = {warpSum(x), warpSum(y)};
    if (warps == 1) {
        return sums;
    }
    const int warp = threadIdx.x / WARP;
    if (lane() == 0) {
        shared[parity][warp] = sums;
    }
    __syncthreads(); // and of the other parity all have read
    sums = {0, 0};
    for (int w = warp / warps * warps; w < (warp / warps + 1) * warps; w++) {
        sums.x += shared[parity][w].x;
        sums.y += shared[parity][w].y;
    }
    return sums;
}

/// dx, and the partial sums of dGain and dBias, in one pass over rows of whole octets: a team of warps takes a row, and
/// each thread keeps its octets of it and of the sums, MOST of each. A team of one warp waits for no other, and where
/// registers suffice, loads its next row before it computes this one.
template <int MOST, class T>
DEVICE void layerNormBackward(
        const T* x, const T* gain, const float* mean, const float* rstd, const T* dy, const T* residual, T* dx,
        float* partial, int rows, int width, int chunk, int warps) {
    typedef HeldRow<T, MOST> Held;
    constexpr bool AHEAD = MOST <= NARROW_OCTETS && sizeof(T) == sizeof(uint16_t);
    alignas(16) __shared__ float shared[THREADS * OCTET];
    const int threads = warps * WARP, teams = WARPS / warps, team = threadIdx.x / threads, own = threadIdx.x % threads;
    const int64_t begin = blockIdx.x * (int64_t) chunk;
    const int count = rows - begin < chunk ? (int) (rows - begin) : chunk;
    float dGain[MOST][OCTET] = {}, dBias[MOST][OCTET] = {};
    Held in, d, nextIn, nextD;
    auto loadRow = [&](int i, Held& in, Held& d) {
        const int64_t start = (begin + i) * width;
        in.load(x + start, width, own, threads);
        d.load(dy + start, width, own, threads);
    };
    if (AHEAD && team < count) {
        loadRow(team, nextIn, nextD);
    }
    for (int i = team, parity = 0; (warps == 1 ? i : i - team) < count; i += teams, parity ^= 1) {
        const bool real = warps == 1 || i < count;
        const int64_t row = begin + (real ? i : 0), start = row * width;
        const int end = real ? width : 0; // teams without a row meet the others in teamSums
        if constexpr (AHEAD) {
            in = nextIn;
            d = nextD;
            if (i + teams < count) {
                loadRow(i + teams, nextIn, nextD);
            }
        } else if (real) {
            loadRow(i, in, d);
        }
        if (residual) { // it is on its way while the sums are taken
            UNROLLED
            for (int j = 0; j < MOST; j++) {
                const int c = Held::column(j, own, threads);
                if (c < end) {
                    prefetch(residual + start + c);
                }
            }
        }
        const float center = mean[row], scale = rstd[row];
        float total = 0, product = 0;
        UNROLLED
        for (int j = 0; j < MOST; j++) {
            const int c = Held::column(j, own, threads);
            if (c < end) {
                float v[OCTET], g[OCTET], gradient[OCTET];
                in.octets[j].unpack(v);
                d.octets[j].unpack(gradient);
                Whole().load(gain + c, g);
                UNROLLED
                for (int k = 0; k < OCTET; k++) {
                    const float normalized = (v[k] - center) * scale;
                    dGain[j][k] = fmaf(gradient[k], normalized, dGain[j][k]);
                    dBias[j][k] += gradient[k];
                    gradient[k] *= g[k];
                    total += gradient[k];
                    product = fmaf(gradient[k], normalized, product);
                }
            }
        }
        const float2 sums = teamSums(total, product, warps, parity);
        const float shift = sums.x / width, slope = sums.y / width;
        UNROLLED
        for (int j = 0; j < MOST; j++) {
            const int c = Held::column(j, own, threads);
            if (c < end) {
                float v[OCTET], g[OCTET], gradient[OCTET], r[OCTET] = {};
                in.octets[j].unpack(v);
                d.octets[j].unpack(gradient);
                Whole().load(gain + c, g);
                if (residual) {
                    Whole().load(residual + start + c, r);
                }
                UNROLLED
                for (int k = 0; k < OCTET; k++) {
                    const float normalized = (v[k] - center) * scale;
                    v[k] = fmaf(fmaf(normalized, -slope, fmaf(gradient[k], g[k], -shift)), scale, r[k]);
                }
                store(Whole(), dx + start + c, v);
            }
        }
    }
    UNROLLED
    for (int s = 0; s < 2; s++) {
        UNROLLED
        for (int j = 0; j < MOST && j * threads * OCTET < width; j++) { // the teams' sums of an octet a thread
            __syncthreads();
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                shared[threadIdx.x * OCTET + k] = s == 0 ? dGain[j][k] : dBias[j][k];
            }
            __syncthreads();
            for (int c = threadIdx.x; c < threads * OCTET && j * threads * OCTET + c < width; c += THREADS) {
                float total = 0;
                for (int t = 0; t < teams; t++) {
                    total += shared[t * threads * OCTET + c];
                }
                partial[(2 * (int64_t) blockIdx.x + s) * width + j * threads * OCTET + c] = total;
            }
        }
    }
}

/// dx of any rows: a warp a row.
template <class T>
DEVICE void layerNormBackwardAny(
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

/// The partial sums of dGain and dBias of any rows.
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
    RESIDENT_KERNEL(THREADS, 2, layerNormBackward##suffix, const T* x, const T* gain, const float* mean, \
                    const float* rstd, const T* dy, const T* residual, T* dx, float* partial, int rows, int width, \
                    int chunk, int warps) { \
        if (warps == 1) { /* compiled for itself */ \
            layerNormBackward<HELD_OCTETS>(x, gain, mean, rstd, dy, residual, dx, partial, rows, width, chunk, 1); \
        } else { \
            layerNormBackward<HELD_OCTETS>(x, gain, mean, rstd, dy, residual, dx, partial, rows, width, chunk, warps); \
        } \
    } \
    RESIDENT_KERNEL(THREADS, 2, layerNormBackwardNarrow##suffix, const T* x, const T* gain, const float* mean, \
                    const float* rstd, const T* dy, const T* residual, T* dx, float* partial, int rows, int width, \
                    int chunk, int /* warps: one */) { /* within layerNormBackward it would spill registers */ \
        layerNormBackward<NARROW_OCTETS>(x, gain, mean, rstd, dy, residual, dx, partial, rows, width, chunk, 1); \
    } \
    KERNEL(THREADS, layerNormBackwardAny##suffix, const T* x, const T* gain, const float* mean, const float* rstd, \
           const T* dy, const T* residual, T* dx, int rows, int width) { \
        layerNormBackwardAny(x, gain, mean, rstd, dy, residual, dx, rows, width); \
    } \
    KERNEL(THREADS, layerNormGradients##suffix, const T* x, const float* mean, const float* rstd, const T* dy, \
           float* partial, int rows, int width) { \
        layerNormGradients(x, mean, rstd, dy, partial, rows, width); \
    }

LAYERNORM_KERNELS(_float, float)
LAYERNORM_KERNELS(_bfloat16, uint16_t)
