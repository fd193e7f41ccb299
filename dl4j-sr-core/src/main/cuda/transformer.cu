// The transformer's kernels but attention. They promise a bound, not bits: sums are taken in any fixed order, in FP32.
// No atomics, so the same bits come out each time.
#include "device.h"

static const int THREADS = 256;
static const int WARPS = THREADS / WARP;

static constexpr float LOG2_E = 1.442695041f;

DEVICE int warpRow() { return (int) (threadIndex() / WARP); }
DEVICE int lane() { return threadIdx.x % WARP; }

/// The sum over the block, in every thread.
DEVICE float blockSum(float x) {
    __shared__ float sums[WARPS];
    x = warpSum(x);
    __syncthreads(); // sums may still be read from the time before
    if (lane() == 0) {
        sums[threadIdx.x / WARP] = x;
    }
    __syncthreads();
    float total = sums[0];
    for (int warp = 1; warp < WARPS; warp++) {
        total += sums[warp];
    }
    return total;
}

DEVICE float blockMaximum(float x) {
    __shared__ float most[WARPS];
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        x = fmaxf(x, __shfl_xor_sync(0xFFFFFFFFu, x, distance));
    }
    __syncthreads(); // most may still be read from the time before
    if (lane() == 0) {
        most[threadIdx.x / WARP] = x;
    }
    __syncthreads();
    for (int warp = 0; warp < WARPS; warp++) {
        x = fmaxf(x, most[warp]);
    }
    return x;
}

// Layer normalization (Ba, Kiros, Hinton, arXiv 1607.06450): a warp a row.

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

// GELU in the tanh form (Hendrycks, Gimpel, arXiv 1606.08415): 0.5 x (1 + tanh(t / 2)) = x / (1 + e^-t).

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

// Sums over the rows of a matrix: each block sums ROW_CHUNK rows of PANEL columns, then addChunks adds the chunks. The
// shape alone decides the order.

static const int ROW_CHUNK = 128;
static const int PANEL = WARP * OCTET;

/// partial [chunks, SUMS, width]. term(row, column, Whole or Part, values [SUMS][OCTET]) sets what is summed.
template <int SUMS, class Term>
DEVICE void sumRows(int rows, int width, bool aligned, float* partial, Term term) {
    __shared__ float shared[WARPS][PANEL];
    const int column = (blockIdx.y * WARP + lane()) * OCTET;
    const int64_t first = (int64_t) blockIdx.x * ROW_CHUNK;
    const int end = first + ROW_CHUNK < rows ? (int) first + ROW_CHUNK : rows;
    float sums[SUMS][OCTET] = {};
    if (column < width) {
        for (int row = (int) first + threadIdx.x / WARP; row < end; row += WARPS) {
            rowOctets(column + OCTET < width ? column + OCTET : width, aligned, column / OCTET, 1,
                      [&](int c, auto octet) {
                float values[SUMS][OCTET];
                term(row, c, octet, values);
                UNROLLED
                for (int s = 0; s < SUMS; s++) {
                    UNROLLED
                    for (int k = 0; k < OCTET; k++) {
                        sums[s][k] += values[s][k];
                    }
                }
            });
        }
    }
    UNROLLED
    for (int s = 0; s < SUMS; s++) {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            shared[threadIdx.x / WARP][lane() * OCTET + k] = sums[s][k];
        }
        __syncthreads();
        float total = 0;
        for (int warp = 0; warp < WARPS; warp++) {
            total += shared[warp][threadIdx.x];
        }
        const int own = blockIdx.y * PANEL + threadIdx.x;
        if (own < width) {
            partial[((int64_t) blockIdx.x * SUMS + s) * width + own] = total;
        }
        __syncthreads();
    }
}

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

// Token and position embedding.

/// A block a row.
template <class T>
DEVICE void embeddingForward(
        const int* tokens, const T* tokenTable, const T* positionTable, T* y, int time, int width) {
    const int64_t row = blockIdx.x;
    const T* token = tokenTable + (int64_t) tokens[row] * width;
    const T* position = positionTable + row % time * width;
    T* out = y + row * width;
    rowOctets(width, areAligned(token, position, out), threadIdx.x, THREADS, [&](int c, auto octet) {
        float a[OCTET], b[OCTET];
        octet.load(token + c, a);
        octet.load(position + c, b);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            a[k] += b[k];
        }
        store(octet, out + c, a);
    });
}

/// A block a token of the vocabulary: it looks for the token's rows in order and sums them.
template <class T>
DEVICE void embeddingBackwardTokens(
        const int* tokens, const T* dy, T* dTokenTable, int rows, int width, int accumulate) {
    static const int SEEN = 8; // rows that a thread looks at, at once
    __shared__ uint32_t found[SEEN * WARPS];
    const int token = blockIdx.x;
    T* target = dTokenTable + (int64_t) token * width;
    const bool aligned = areAligned(dy, target) && width % OCTET == 0;
    for (int panel = 0; panel < width; panel += THREADS * OCTET) { // one pass up to a width of 2048
        const int column = panel + threadIdx.x * OCTET;
        const int end = column < width ? column + OCTET < width ? column + OCTET : width : 0;
        float sums[OCTET] = {};
        if (accumulate) {
            rowOctets(end, aligned, column / OCTET, 1, [&](int c, auto octet) { octet.load(target + c, sums); });
        }
        bool any = !accumulate;
        for (int first = 0; first < rows; first += SEEN * THREADS) {
            UNROLLED
            for (int s = 0; s < SEEN; s++) {
                const int row = first + s * THREADS + threadIdx.x;
                const uint32_t mask = __ballot_sync(0xFFFFFFFFu, row < rows && tokens[row] == token);
                if (lane() == 0) {
                    found[s * WARPS + threadIdx.x / WARP] = mask;
                }
            }
            __syncthreads();
            for (int part = 0; part < SEEN * WARPS; part++) {
                for (uint32_t mask = found[part]; mask; mask &= mask - 1) {
                    any = true;
                    const int row = first + part * WARP + __ffs(mask) - 1;
                    rowOctets(end, aligned, column / OCTET, 1, [&](int c, auto octet) {
                        float v[OCTET];
                        octet.load(dy + (int64_t) row * width + c, v);
                        UNROLLED
                        for (int k = 0; k < OCTET; k++) {
                            sums[k] += v[k];
                        }
                    });
                }
            }
            __syncthreads();
        }
        if (any) {
            rowOctets(end, aligned, column / OCTET, 1, [&](int c, auto octet) { store(octet, target + c, sums); });
        }
    }
}

/// A block a position: sums over the batch.
template <class T>
DEVICE void embeddingBackwardPositions(const T* dy, T* dPositionTable, int batch, int time, int width) {
    const int64_t position = blockIdx.x;
    T* target = dPositionTable + position * width;
    rowOctets(width, areAligned(dy, target) && width % OCTET == 0, threadIdx.x, THREADS, [&](int c, auto octet) {
        float sums[OCTET] = {}, v[OCTET];
        for (int b = 0; b < batch; b++) {
            octet.load(dy + (b * (int64_t) time + position) * width + c, v);
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                sums[k] += v[k];
            }
        }
        store(octet, target + c, sums);
    });
}

/// Softmax cross-entropy, a block a row. dLogits may be logits, or null for the loss alone.
template <class T>
DEVICE void crossEntropy(
        const T* logits, const int* targets, float* losses, T* dLogits, int vocabulary, float scale) {
    const int64_t row = blockIdx.x;
    const T* in = logits + row * vocabulary;
    T* out = dLogits ? dLogits + row * vocabulary : 0;
    const int target = targets[row];
    const bool aligned = areAligned(in, out);
    if (target < 0) {
        if (threadIdx.x == 0) {
            losses[row] = 0;
        }
        if (out) {
            rowOctets(vocabulary, aligned, threadIdx.x, THREADS, [&](int c, auto octet) {
                const float zeros[OCTET] = {};
                store(octet, out + c, zeros);
            });
        }
        return;
    }
    // each thread sums 2^(x - own maximum) on the way, so that the row is read once for the loss
    float top = -INFINITY, sum = 0;
    rowOctets(vocabulary, aligned, threadIdx.x, THREADS, [&](int c, auto octet) {
        float v[OCTET];
        octet.load(in + c, v);
        float most = top;
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            v[k] = octet.has(k) ? v[k] * LOG2_E : -INFINITY;
            most = fmaxf(most, v[k]);
        }
        sum *= top == most ? 1 : exp2f(top - most);
        top = most;
        const float base = most == -INFINITY ? 0 : most; // nothing but minus infinity so far
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            sum += octet.has(k) ? exp2f(v[k] - base) : 0;
        }
    });
    const float most = blockMaximum(top);
    const float all = blockSum(top == most ? sum : sum * exp2f(top - most));
    const float own = load(in + target) * LOG2_E - most;
    __syncthreads(); // before somebody overwrites the target's logit
    if (threadIdx.x == 0) {
        losses[row] = (log2f(all) - own) / LOG2_E;
    }
    if (out) {
        const float factor = scale / all;
        rowOctets(vocabulary, aligned, threadIdx.x, THREADS, [&](int c, auto octet) {
            float v[OCTET];
            octet.load(in + c, v);
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                const float p = exp2f(v[k] * LOG2_E - most);
                v[k] = c + k == target ? (p / all - 1) * scale : p * factor;
            }
            store(octet, out + c, v);
        });
    }
}

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

#define TRANSFORMER_KERNELS(suffix, T) \
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
    } \
    KERNEL(THREADS, geluForward##suffix, const T* x, T* y, int64_t length) { geluForward(x, y, length); } \
    KERNEL(THREADS, geluBackward##suffix, const T* x, const T* dy, T* dx, float* partial, int rows, int width) { \
        geluBackward(x, dy, dx, partial, rows, width); \
    } \
    KERNEL(THREADS, biasGradient##suffix, const T* dy, float* partial, int rows, int width) { \
        biasGradient(dy, partial, rows, width); \
    } \
    KERNEL(THREADS, addChunks##suffix, const float* partial, int chunks, int stride, T* sums, int width) { \
        addChunks(partial, chunks, stride, sums, width); \
    } \
    KERNEL(THREADS, embeddingForward##suffix, const int* tokens, const T* tokenTable, const T* positionTable, T* y, \
           int time, int width) { \
        embeddingForward(tokens, tokenTable, positionTable, y, time, width); \
    } \
    KERNEL(THREADS, embeddingBackwardTokens##suffix, const int* tokens, const T* dy, T* dTokenTable, int rows, \
           int width, int accumulate) { \
        embeddingBackwardTokens(tokens, dy, dTokenTable, rows, width, accumulate); \
    } \
    KERNEL(THREADS, embeddingBackwardPositions##suffix, const T* dy, T* dPositionTable, int batch, int time, \
           int width) { \
        embeddingBackwardPositions(dy, dPositionTable, batch, time, width); \
    } \
    KERNEL(THREADS, crossEntropy##suffix, const T* logits, const int* targets, float* losses, T* dLogits, \
           int vocabulary, float scale) { \
        crossEntropy(logits, targets, losses, dLogits, vocabulary, scale); \
    } \
    KERNEL(THREADS, transpose##suffix, const T* x, T* y, int rows, int columns) { transpose(x, y, rows, columns); }

TRANSFORMER_KERNELS(_float, float)
TRANSFORMER_KERNELS(_bfloat16, uint16_t)
