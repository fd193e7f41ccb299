// Softmax cross-entropy.
#include "device.h"

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

/// A block a row. dLogits may be logits, or null for the loss alone.
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

#define LOSS_KERNELS(suffix, T) \
    KERNEL(THREADS, crossEntropy##suffix, const T* logits, const int* targets, float* losses, T* dLogits, \
           int vocabulary, float scale) { \
        crossEntropy(logits, targets, losses, dLogits, vocabulary, scale); \
    }

LOSS_KERNELS(_float, float)
LOSS_KERNELS(_bfloat16, uint16_t)
