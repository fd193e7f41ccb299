// Attention to keys of any number, all those that are visible: of queries, keys and values in arrays of their own.

template <class T, class Words = typename AttentionWords<T>::Words>
static inline void keyAttention(
        int threads, const T* q, const T* k, const T* v, const uint16_t* visible, T* out, float* logSumExp, int batch,
        int queries, int keys, int heads, int headWidth) {
    eachHead<Words>(threads, batch * heads, [=](int i) {
        attend<Words, false, T>(
                headOf(q, i, queries, heads, headWidth, 1, 0), headOf(k, i, keys, heads, headWidth, 1, 0),
                headOf(v, i, keys, heads, headWidth, 1, 0), visible ? visible + (int64_t) (i / heads) * keys : 0,
                headOf(out, i, queries, heads, headWidth, 1, 0), logSumExp + (int64_t) i * queries);
    });
}

template <class T, class Words = typename AttentionWords<T>::Words>
static inline void keyAttentionGradient(
        int threads, const T* q, const T* k, const T* v, const uint16_t* visible, const T* out,
        const float* logSumExp, const T* dOut, T* dQ, T* dK, T* dV, int batch, int queries, int keys, int heads,
        int headWidth) {
    eachHead<Words>(threads, batch * heads, [=](int i) {
        AttendBackward<Words, false, T>(
                headOf(q, i, queries, heads, headWidth, 1, 0), headOf(k, i, keys, heads, headWidth, 1, 0),
                headOf(v, i, keys, heads, headWidth, 1, 0), visible ? visible + (int64_t) (i / heads) * keys : 0,
                headOf(out, i, queries, heads, headWidth, 1, 0), logSumExp + (int64_t) i * queries,
                headOf(dOut, i, queries, heads, headWidth, 1, 0))
                .run(headOf(dQ, i, queries, heads, headWidth, 1, 0), headOf(dK, i, keys, heads, headWidth, 1, 0),
                     headOf(dV, i, keys, heads, headWidth, 1, 0));
    });
}
