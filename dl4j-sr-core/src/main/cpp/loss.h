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
        const float greatest = largest(most);
        V total = {};
        eachVector(vocabulary, [&](int64_t c, auto part) {
            total += within(exponential(load(in + c, part) - greatest), part, V{});
        });
        const float all = sum(total), own = sum(load(in + target, Part{1})) - greatest;
        losses[row] = logf(all) - own;
        if (dLogits) {
            const float factor = scale / all;
            eachVector(vocabulary, [&](int64_t c, auto part) {
                store(out + c, exponential(load(in + c, part) - greatest) * factor, part);
            });
            store(out + target, (exponential(broadcast(own)) / all - 1.0f) * scale, Part{1});
        }
    }
}
