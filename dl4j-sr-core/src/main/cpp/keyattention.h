// Attention to keys of any number, all those that are visible: of queries, keys and values in arrays of their own.

template <class T, class Words = typename AttentionWords<T>::Words>
static inline void keyAttention(
        int threads, const T* q, const T* k, const T* v, const uint16_t* visible, T* out, float* logSumExp, int batch,
        int queries, int keys, int heads, int headWidth) {
    const auto headAt = [=](int i) {
        return Head<T>{
                headOf(q, i, queries, heads, headWidth, 1, 0), headOf(k, i, keys, heads, headWidth, 1, 0),
                headOf(v, i, keys, heads, headWidth, 1, 0), visible ? visible + (int64_t) (i / heads) * keys : 0,
                headOf(out, i, queries, heads, headWidth, 1, 0), logSumExp + (int64_t) i * queries};
    };
    attendHeads<Words, false, T>(threads, batch * heads, queries, headAt);
}

template <class T, class Words = typename AttentionWords<T>::Words>
static inline void keyAttentionGradient(
        int threads, const T* q, const T* k, const T* v, const uint16_t* visible, const T* out,
        const float* logSumExp, const T* dOut, T* dQ, T* dK, T* dV, int batch, int queries, int keys, int heads,
        int headWidth) {
    const auto headAt = [=](int i) {
        return Head<const T>{
                headOf(q, i, queries, heads, headWidth, 1, 0), headOf(k, i, keys, heads, headWidth, 1, 0),
                headOf(v, i, keys, heads, headWidth, 1, 0), visible ? visible + (int64_t) (i / heads) * keys : 0,
                headOf(out, i, queries, heads, headWidth, 1, 0), logSumExp + (int64_t) i * queries};
    };
    const auto gradientsAt = [=](int i) {
        return HeadGradients<T>{
                headOf(dOut, i, queries, heads, headWidth, 1, 0), headOf(dQ, i, queries, heads, headWidth, 1, 0),
                headOf(dK, i, keys, heads, headWidth, 1, 0), headOf(dV, i, keys, heads, headWidth, 1, 0)};
    };
    attendHeadsBackward<Words, false, T>(threads, batch * heads, queries, keys, headWidth, headAt, gradientsAt);
}
