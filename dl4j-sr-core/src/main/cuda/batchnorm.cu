// Batch normalization (Ioffe, Szegedy, arXiv 1502.03167): sums over the planes of a channel, or down the rows, by chunks,
// which a thread a channel adds up.
#include "columns.h"
#include "loops.h"

/// Arrays [outer, channels, inner] whose planes [inner] are contiguous.
struct Planes {
    int64_t outer, channels, inner, outerStride, channelStride;
    int64_t divisor; // of the octets of a plane
};

/// Adds values, as term sets them, over a chunk of a channel's octets; grid [channels, chunks], partial [chunks, SUMS,
/// channels]. term takes what loads an octet of an array, and what gives the octet's channels' numbers.
template <int SUMS, class Term>
DEVICE void sumPlanes(const Planes& a, float* partial, Term term) {
    __shared__ float shared[SUMS][WARPS];
    const int64_t channel = blockIdx.x, inPlane = (a.inner + OCTET - 1) / OCTET, octets = a.outer * inPlane;
    const int64_t first = (int64_t) blockIdx.y * PLANE_CHUNK;
    const int64_t end = first + PLANE_CHUNK < octets ? first + PLANE_CHUNK : octets;
    float sums[SUMS] = {};
    for (int64_t octet = first + threadIdx.x; octet < end; octet += THREADS) {
        const int64_t plane = divide((U) octet, a.divisor), i = (octet - plane * inPlane) * OCTET;
        const int64_t at = plane * a.outerStride + channel * a.channelStride + i;
        const int count = a.inner - i < OCTET ? (int) (a.inner - i) : OCTET;
        float values[SUMS][OCTET];
        term([&](const uint16_t* array, float (&x)[OCTET]) { loadRun(array + at, 1, count, x); },
             [&](const float* ofChannels, float (&x)[OCTET]) { loadRun(ofChannels + channel, 0, OCTET, x); }, values);
        UNROLLED
        for (int s = 0; s < SUMS; s++) {
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                sums[s] += k < count ? values[s][k] : 0;
            }
        }
    }
    UNROLLED
    for (int s = 0; s < SUMS; s++) {
        const float sum = warpSum(sums[s]);
        if (lane() == 0) {
            shared[s][threadIdx.x / WARP] = sum;
        }
    }
    __syncthreads();
    if (threadIdx.x < SUMS) {
        float total = 0;
        for (int warp = 0; warp < WARPS; warp++) {
            total += shared[threadIdx.x][warp];
        }
        partial[(blockIdx.y * (int64_t) SUMS + threadIdx.x) * a.channels + channel] = total;
    }
}

/// As sumPlanes, for contiguous channels: rows of them, `stride` apart.
template <int SUMS, class Term>
DEVICE void sumChannelRows(int rows, int channels, int64_t stride, float* partial, Term term) {
    sumRows<SUMS>(rows, channels, false, partial, [&](int row, int c, auto octet, float (&values)[SUMS][OCTET]) {
        const int count = channels - c < OCTET ? channels - c : OCTET;
        term([&](const uint16_t* array, float (&x)[OCTET]) { loadRun(array + row * stride + c, 1, count, x); },
             [&](const float* ofChannels, float (&x)[OCTET]) { loadRun(ofChannels + c, 1, count, x); }, values);
    });
}

// What is summed.

struct Value {
    const uint16_t* x;

    template <class Load, class OfChannels>
    METHOD void operator()(Load load, OfChannels, float (&values)[1][OCTET]) const { load(x, values[0]); }
};

struct SquaredDeviation {
    const uint16_t* x;
    const float* mean;

    template <class Load, class OfChannels>
    METHOD void operator()(Load load, OfChannels ofChannels, float (&values)[1][OCTET]) const {
        float center[OCTET];
        load(x, values[0]);
        ofChannels(mean, center);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            const float deviation = values[0][k] - center[k];
            values[0][k] = deviation * deviation;
        }
    }
};

/// The gradient, and it times the deviation.
struct GradientAndProduct {
    const uint16_t *x, *dy;
    const float* mean;

    template <class Load, class OfChannels>
    METHOD void operator()(Load load, OfChannels ofChannels, float (&values)[2][OCTET]) const {
        float center[OCTET];
        load(dy, values[0]);
        load(x, values[1]);
        ofChannels(mean, center);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            values[1][k] = values[0][k] * (values[1][k] - center[k]);
        }
    }
};

KERNEL(THREADS, sumPlanes_values, Planes a, const uint16_t* x, float* partial) { sumPlanes<1>(a, partial, Value{x}); }

KERNEL(THREADS, sumPlanes_deviations, Planes a, const uint16_t* x, const float* mean, float* partial) {
    sumPlanes<1>(a, partial, SquaredDeviation{x, mean});
}

KERNEL(THREADS, sumPlanes_gradients, Planes a, const uint16_t* x, const uint16_t* dy, const float* mean,
       float* partial) {
    sumPlanes<2>(a, partial, GradientAndProduct{x, dy, mean});
}

KERNEL(THREADS, sumRows_values, int rows, int channels, int64_t stride, const uint16_t* x, float* partial) {
    sumChannelRows<1>(rows, channels, stride, partial, Value{x});
}

KERNEL(THREADS, sumRows_deviations, int rows, int channels, int64_t stride, const uint16_t* x, const float* mean,
       float* partial) {
    sumChannelRows<1>(rows, channels, stride, partial, SquaredDeviation{x, mean});
}

KERNEL(THREADS, sumRows_gradients, int rows, int channels, int64_t stride, const uint16_t* x, const uint16_t* dy,
       const float* mean, float* partial) {
    sumChannelRows<2>(rows, channels, stride, partial, GradientAndProduct{x, dy, mean});
}

// A thread a channel.

/// The sum over the chunks of partial [chunks, sums, channels].
DEVICE float chunkSum(const float* partial, int chunks, int sums, int sum, int channel, int channels) {
    float total = 0;
    for (int chunk = 0; chunk < chunks; chunk++) {
        total += partial[((int64_t) chunk * sums + sum) * channels + channel];
    }
    return total;
}

KERNEL(THREADS, channelMeans, const float* partial, int chunks, int channels, float elements, float* means) {
    const int c = (int) threadIndex();
    if (c < channels) {
        means[c] = chunkSum(partial, chunks, 1, 0, c, channels) / elements;
    }
}

/// What the deviation from the mean is multiplied by.
DEVICE float scaleOf(const uint16_t* gain, float variance, float epsilon) {
    return load(gain) / sqrtf(variance + epsilon);
}

/// numbers [3, channels]: the mean, the scale and the shift, which may come from memory of the host.
KERNEL(THREADS, batchNormNumbers, const uint16_t* gain, const uint16_t* bias, const float* mean, const float* variance,
       float epsilon, int channels, float* numbers) {
    const int c = (int) threadIndex();
    if (c < channels) {
        numbers[c] = mean[c];
        numbers[channels + c] = scaleOf(gain + c, variance[c], epsilon);
        numbers[2 * (int64_t) channels + c] = load(bias + c);
    }
}

/// numbers [4, channels]: the mean, the scale, and of the gradient the mean and the slope along the deviation.
KERNEL(THREADS, batchNormSlopes, const float* partial, int chunks, int channels, float elements, const uint16_t* gain,
       const float* mean, const float* variance, float epsilon, float* numbers, uint16_t* dGain, uint16_t* dBias) {
    const int c = (int) threadIndex();
    if (c < channels) {
        const float sum = chunkSum(partial, chunks, 2, 0, c, channels);
        const float product = chunkSum(partial, chunks, 2, 1, c, channels);
        const float rstd = 1 / sqrtf(variance[c] + epsilon);
        store(dGain + c, product * rstd);
        store(dBias + c, sum);
        numbers[c] = mean[c];
        numbers[channels + c] = scaleOf(gain + c, variance[c], epsilon);
        numbers[2 * (int64_t) channels + c] = sum / elements;
        numbers[3 * (int64_t) channels + c] = product * (rstd * rstd / elements);
    }
}

/// Operands: the channel, x and y.
KERNEL(THREADS, batchNormForward, Loops<2> loops, const uint16_t* x, const float* numbers, int channels, uint16_t* y) {
    eachRun<OCTET>(loops, [&](const int64_t (&at)[2], int count) {
        const float* const ofChannel = numbers + at[0];
        float v[OCTET], center[OCTET], scale[OCTET], shift[OCTET];
        loadRun(x + at[1], loops.step(1), count, v);
        loadRun(ofChannel, loops.step(0), count, center);
        loadRun(ofChannel + channels, loops.step(0), count, scale);
        loadRun(ofChannel + 2 * (int64_t) channels, loops.step(0), count, shift);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            v[k] = fmaf(v[k] - center[k], scale[k], shift[k]);
        }
        storeRun(y + at[1], loops.step(1), count, v);
    });
}

/// Operands: the channel, and x, dy and dx.
KERNEL(THREADS, batchNormBackward, Loops<2> loops, const uint16_t* x, const float* numbers, int channels,
       const uint16_t* dy, uint16_t* dx) {
    eachRun<OCTET>(loops, [&](const int64_t (&at)[2], int count) {
        const float* const ofChannel = numbers + at[0];
        float v[OCTET], d[OCTET], center[OCTET], scale[OCTET], shift[OCTET], slope[OCTET];
        loadRun(x + at[1], loops.step(1), count, v);
        loadRun(dy + at[1], loops.step(1), count, d);
        loadRun(ofChannel, loops.step(0), count, center);
        loadRun(ofChannel + channels, loops.step(0), count, scale);
        loadRun(ofChannel + 2 * (int64_t) channels, loops.step(0), count, shift);
        loadRun(ofChannel + 3 * (int64_t) channels, loops.step(0), count, slope);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            v[k] = (d[k] - shift[k] - (v[k] - center[k]) * slope[k]) * scale[k];
        }
        storeRun(dx + at[1], loops.step(1), count, v);
    });
}
