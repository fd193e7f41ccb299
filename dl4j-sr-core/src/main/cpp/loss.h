// Softmax cross-entropy, a row at a time.

template <class T>
static inline void crossEntropy(
        int threads, const T* logits, const int32_t* targets, float* losses, T* dLogits, int rows, int vocabulary,
        float scale) {
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf((int64_t) rows * vocabulary)))
    for (int row = 0; row < rows; row++) {
        const T* in = logits + (int64_t) row * vocabulary;
        T* out = dLogits + (int64_t) row * vocabulary;
        const int target = targets[row];
        if (target < 0) {
            losses[row] = 0;
            if (dLogits) {
                memset(out, 0, vocabulary * sizeof(T));
            }
            continue;
        }
        V most = broadcast(-INFINITY);
        eachVector(vocabulary, [&](int64_t c, auto part) {
            most = maximum(most, within(load(in + c, part), part, broadcast(-INFINITY)));
        });
        const float top = greatest(most);
        const float all = sumOf(vocabulary, [&](int64_t c, auto part) {
            return within(power2((load(in + c, part) - top) * LOG2_E), part, V{});
        });
        const float own = load(in + target, Part{1})[0] - top;
        losses[row] = logf(all) - own;
        if (dLogits) {
            const float factor = scale / all;
            eachVector(vocabulary, [&](int64_t c, auto part) {
                store(out + c, power2((load(in + c, part) - top) * LOG2_E) * factor, part);
            });
            store(out + target, (power2(broadcast(own * LOG2_E)) / all - 1.0f) * scale, Part{1});
        }
    }
}
