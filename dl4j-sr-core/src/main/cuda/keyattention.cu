// Attention of BF16 queries to all visible keys of a sequence, in FP32; grids [batch * heads, tiles].
#include "attention_tiles.h"

/// One head of queries and keys, each an array [batch * rows, heads * width].
struct QueriesAndKeys {
    Head ofQueries, ofKeys;

    METHOD QueriesAndKeys(int queries, int keys, int heads, int width)
        : ofQueries(blockIdx.x, queries, heads, width), ofKeys(blockIdx.x, keys, heads, width) {}

    METHOD Operands<uint16_t> operands(const uint16_t* q, const uint16_t* k, const uint16_t* v) const {
        return {ofQueries.part(q, 0, 1), ofKeys.part(k, 0, 1), ofKeys.part(v, 0, 1), ofQueries.time, ofKeys.time,
                ofKeys.width};
    }

    /// Of [batch, keys], or null.
    METHOD Visible sight(const uint16_t* visible) const {
        return {visible ? visible + (int64_t) ofKeys.batch * ofKeys.time : visible, ofKeys.time};
    }

    template <class T>
    METHOD T* row(T* ofHeads) const { return ofHeads + (int64_t) blockIdx.x * ofQueries.time; }
};

KERNEL(THREADS, keyAttentionForward, const uint16_t* q, const uint16_t* k, const uint16_t* v, const uint16_t* visible,
       uint16_t* out, float* logSumExp, int queries, int keys, int heads, int width) {
    const QueriesAndKeys head(queries, keys, heads, width);
    attend(head.sight(visible), head.operands(q, k, v), head.ofQueries.part(out, 0, 1), head.row(logSumExp));
}

KERNEL(THREADS, keyAttentionBackwardKeys, const uint16_t* q, const uint16_t* k, const uint16_t* v,
       const uint16_t* visible, const uint16_t* out, const float* logSumExp, const uint16_t* dOut, uint16_t* dK,
       uint16_t* dV, int queries, int keys, int heads, int width) {
    const QueriesAndKeys head(queries, keys, heads, width);
    attendBackwardKeys(head.sight(visible), head.operands(q, k, v), head.ofQueries.part(out, 0, 1),
                       head.row(logSumExp), head.ofQueries.part(dOut, 0, 1), head.ofKeys.part(dK, 0, 1),
                       head.ofKeys.part(dV, 0, 1));
}

KERNEL(THREADS, keyAttentionBackwardQueries, const uint16_t* q, const uint16_t* k, const uint16_t* v,
       const uint16_t* visible, const uint16_t* out, const float* logSumExp, const uint16_t* dOut, uint16_t* dQ,
       int queries, int keys, int heads, int width) {
    const QueriesAndKeys head(queries, keys, heads, width);
    attendBackwardQueries(head.sight(visible), head.operands(q, k, v), head.ofQueries.part(out, 0, 1),
                          head.row(logSumExp), head.ofQueries.part(dOut, 0, 1), head.ofQueries.part(dQ, 0, 1));
}
