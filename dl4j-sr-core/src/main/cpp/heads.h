// Attention of all heads of all sequences on threads: a head at a time, or, where that would leave threads without work,
// a part of a head. The bits are the same.

/// The part of one head of one sequence of an array [batch * time, parts * heads * headWidth].
template <class T>
static inline Matrix<T> headOf(T* array, int index, int time, int heads, int headWidth, int parts, int part) {
    const int64_t stride = (int64_t) parts * heads * headWidth;
    const int column = (part * heads + index % heads) * headWidth;
    return Matrix<T>{array + index / heads * time * stride + column, stride, time, headWidth};
}

/// Arrays of one head of one sequence; visible as attend has it. T is const in the backward pass.
template <class T>
struct Head {
    Matrix<const T> q, k, v;
    const uint16_t* visible;
    Matrix<T> out;
    std::conditional_t<std::is_const_v<T>, const float, float>* logSumExp;
};

/// What its backward pass needs further.
template <class T>
struct HeadGradients {
    Matrix<const T> dOut;
    Matrix<T> dQ, dK, dV;
};

/// Whether threads that take whole heads would be without work for more than a quarter of the time.
static inline bool leavesIdle(int threads, int heads) {
    const int turns = (heads + threads - 1) / threads * threads;
    return 4 * (turns - heads) > turns;
}

/// headAt(i) is the Head of this index.
template <class Words, bool CAUSAL, class T, class HeadAt>
static inline void attendHeads(int threads, int heads, int queries, HeadAt headAt) {
    const int rows = leavesIdle(threads, heads) ? PART : queries, parts = (queries + rows - 1) / rows;
#pragma omp parallel num_threads(threads)
    {
        typename Words::Session session;
#pragma omp for schedule(dynamic)
        for (int task = 0; task < heads * parts; task++) {
            const int first = (parts - 1 - task / heads) * rows; // the last ones see the most keys
            const int count = queries - first < rows ? queries - first : rows;
            const Head<T> h = headAt(task % heads);
            const int keys = CAUSAL ? first + count : h.k.rows;
            attend<Words, CAUSAL, T>(
                    h.q.rowsFrom(first, count), h.k.rowsFrom(0, keys), h.v.rowsFrom(0, keys), h.visible,
                    h.out.rowsFrom(first, count), h.logSumExp + first);
        }
    }
}

/// headAt(i) is the Head of this index, gradientsAt(i) its HeadGradients.
template <class Words, bool CAUSAL, class T, class HeadAt, class GradientsAt>
static inline void attendHeadsBackward(
        int threads, int heads, int queries, int keys, int width, HeadAt headAt, GradientsAt gradientsAt) {
    typedef AttendBackward<Words, CAUSAL, T> Backward;
    if (!leavesIdle(threads, heads) || keys <= PART) {
#pragma omp parallel num_threads(threads)
        {
            typename Words::Session session;
#pragma omp for schedule(dynamic)
            for (int i = 0; i < heads; i++) {
                const Head<const T> h = headAt(i);
                const HeadGradients<T> g = gradientsAt(i);
                Backward(h.q, h.k, h.v, h.visible, h.out, h.logSumExp, g.dOut).run(g.dQ, g.dK, g.dV);
            }
        }
        return;
    }
    const int parts = (keys + PART - 1) / PART, pieces = (queries + PART - 1) / PART;
    const int together = (2 * threads + parts - 1) / parts; // heads whose sums are kept at a time
    const int64_t stride = roundUp(width, LANES), length = Backward::sumsOf(queries, width);
    static thread_local Scratch memory;
    float* const sums = memory.floats(together * parts * length);
#pragma omp parallel num_threads(threads)
    {
        typename Words::Session session;
        for (int start = 0; start < heads; start += together) {
            const int count = heads - start < together ? heads - start : together;
#pragma omp for schedule(dynamic)
            for (int task = 0; task < count * parts; task++) {
                const int first = task / count * PART; // the first ones are seen by most queries
                const int seen = keys - first < PART ? keys - first : PART, unseeing = CAUSAL ? first : 0;
                const Head<const T> h = headAt(start + task % count);
                const HeadGradients<T> g = gradientsAt(start + task % count);
                const int rows = queries - unseeing;
                Backward(h.q.rowsFrom(unseeing, rows), h.k.rowsFrom(first, seen), h.v.rowsFrom(first, seen),
                         h.visible ? h.visible + first : 0, h.out.rowsFrom(unseeing, rows), h.logSumExp + unseeing,
                         g.dOut.rowsFrom(unseeing, rows))
                        .runPart(0, sums + task * length + unseeing * stride, g.dK.rowsFrom(first, seen),
                                 g.dV.rowsFrom(first, seen));
            }
#pragma omp for schedule(dynamic)
            for (int task = 0; task < count * pieces; task++) {
                const int first = task / count * PART, rows = queries - first < PART ? queries - first : PART;
                float* const all = sums + task % count * length + first * stride;
                for (int part = 1; part < parts && !(CAUSAL && first < part * PART); part++) {
                    Backward::addPart(all + part * count * length, rows * stride, all);
                }
                Backward::storeQueries(all, gradientsAt(start + task % count).dQ.rowsFrom(first, rows));
            }
        }
    }
}

template <class T, class Words = typename AttentionWords<T>::Words>
static inline void attentionForward(
        int threads, const T* qkv, T* out, float* logSumExp, int batch, int time, int heads, int headWidth) {
    const auto headAt = [=](int i) {
        return Head<T>{
                headOf(qkv, i, time, heads, headWidth, 3, 0), headOf(qkv, i, time, heads, headWidth, 3, 1),
                headOf(qkv, i, time, heads, headWidth, 3, 2), 0, headOf(out, i, time, heads, headWidth, 1, 0),
                logSumExp + (int64_t) i * time};
    };
    attendHeads<Words, true, T>(threads, batch * heads, time, headAt);
}

template <class T, class Words = typename AttentionWords<T>::Words>
static inline void attentionBackward(
        int threads, const T* qkv, const T* out, const float* logSumExp, const T* dOut, T* dQkv, int batch, int time,
        int heads, int headWidth) {
    const auto headAt = [=](int i) {
        return Head<const T>{
                headOf(qkv, i, time, heads, headWidth, 3, 0), headOf(qkv, i, time, heads, headWidth, 3, 1),
                headOf(qkv, i, time, heads, headWidth, 3, 2), 0, headOf(out, i, time, heads, headWidth, 1, 0),
                logSumExp + (int64_t) i * time};
    };
    const auto gradientsAt = [=](int i) {
        return HeadGradients<T>{
                headOf(dOut, i, time, heads, headWidth, 1, 0), headOf(dQkv, i, time, heads, headWidth, 3, 0),
                headOf(dQkv, i, time, heads, headWidth, 3, 1), headOf(dQkv, i, time, heads, headWidth, 3, 2)};
    };
    attendHeadsBackward<Words, true, T>(threads, batch * heads, time, time, headWidth, headAt, gradientsAt);
}
