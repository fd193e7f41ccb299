// Token and position embedding.
#include "device.h"

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

#define EMBEDDING_KERNELS(suffix, T) \
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
    }

EMBEDDING_KERNELS(_float, float)
EMBEDDING_KERNELS(_bfloat16, uint16_t)
