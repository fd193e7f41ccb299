// Causal attention in FP32; grids [batch * heads, tiles].
#include "attention_tiles.h"

/// A head of an array [batch * time, 3 * heads * width].
template <class T>
DEVICE Operands<T> operandsOf(const T* qkv, const Head& head) {
    return {head.part(qkv, 0, 3), head.part(qkv, 1, 3), head.part(qkv, 2, 3), head.time, head.time, head.width};
}

#define ATTENTION_KERNELS(suffix, T) \
    KERNEL(THREADS, attentionForward##suffix, const T* qkv, T* out, float* logSumExp, int time, int heads, \
           int width) { \
        const Head head(blockIdx.x, time, heads, width); \
        attend(Causal(), operandsOf(qkv, head), head.part(out, 0, 1), logSumExp + (int64_t) blockIdx.x * time); \
    } \
    KERNEL(THREADS, attentionBackwardKeys##suffix, const T* qkv, const T* out, const float* logSumExp, \
           const T* dOut, T* dQkv, int time, int heads, int width) { \
        const Head head(blockIdx.x, time, heads, width); \
        attendBackwardKeys(Causal(), operandsOf(qkv, head), head.part(out, 0, 1), \
                           logSumExp + (int64_t) blockIdx.x * time, head.part(dOut, 0, 1), head.part(dQkv, 1, 3), \
                           head.part(dQkv, 2, 3)); \
    } \
    KERNEL(THREADS, attentionBackwardQueries##suffix, const T* qkv, const T* out, const float* logSumExp, \
           const T* dOut, T* dQkv, int time, int heads, int width) { \
        const Head head(blockIdx.x, time, heads, width); \
        attendBackwardQueries(Causal(), operandsOf(qkv, head), head.part(out, 0, 1), \
                              logSumExp + (int64_t) blockIdx.x * time, head.part(dOut, 0, 1), \
                              head.part(dQkv, 0, 3)); \
    }

ATTENTION_KERNELS(_float, float)
ATTENTION_KERNELS(_bfloat16, uint16_t)
