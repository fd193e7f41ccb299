// Layer normalization (Ba, Kiros, Hinton, arXiv 1607.06450), a row at a time.

/// The values in FP32, valid until this thread asks for others.
template <class T>
static inline const float* widened(const T* values, int length, Scratch& scratch) {
    float* target = scratch.floats(length);
    copy(values, target, length);
    return target;
}

template <class T>
static inline void layerNormForward(
        int threads, const T* x, const T* gain, const T* bias, T* y, float* mean, float* rstd, int rows, int width,
        float epsilon) {
    static thread_local Scratch gainMemory, biasMemory;
    const float *gains = widened(gain, width, gainMemory), *biases = widened(bias, width, biasMemory);
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf((int64_t) rows * width)))
    for (int row = 0; row < rows; row++) {
        const T* in = x + (int64_t) row * width;
        T* out = y + (int64_t) row * width;
        float center = sumOf(width, [&](int64_t c, auto part) { return load(in + c, part); }) / width;
        float squares = sumOf(width, [&](int64_t c, auto part) {
            V deviation = within(load(in + c, part) - center, part, V{});
            return deviation * deviation;
        });
        float scale = 1 / sqrtf(squares / width + epsilon);
        eachVector(width, [&](int64_t c, auto part) {
            V normalized = (load(in + c, part) - center) * scale;
            store(out + c, multiplyAdd(normalized, load(gains + c, part), load(biases + c, part)), part);
        });
        mean[row] = center;
        rstd[row] = scale;
    }
}

template <class T>
static inline void layerNormBackward(
        int threads, const T* x, const T* gain, const float* mean, const float* rstd, const T* dy, const T* residual,
        T* dx, T* dGain, T* dBias, int rows, int width) {
    static thread_local Scratch gainMemory;
    const float* gains = widened(gain, width, gainMemory);
    const int padded = roundUp(width, LANES);
    const float* sums = sumRows(threads, rows, 2 * padded, [&](int row, float* gainSums) {
        const T* in = x + (int64_t) row * width;
        const T* gradient = dy + (int64_t) row * width;
        float* biasSums = gainSums + padded;
        float center = mean[row], scale = rstd[row];
        V total = {}, product = {};
        eachVector(width, [&](int64_t c, auto part) {
            V normalized = (load(in + c, part) - center) * scale;
            V d = load(gradient + c, part);
            store(gainSums + c, multiplyAdd(d, normalized, load(gainSums + c)));
            store(biasSums + c, load(biasSums + c) + d);
            d *= load(gains + c, part);
            total += d;
            product = multiplyAdd(d, normalized, product);
        });
        float center2 = sum(total) / width, slope = -scale * scale * sum(product) / width;
        eachVector(width, [&](int64_t c, auto part) {
            V d = load(gradient + c, part) * load(gains + c, part);
            V result = multiplyAdd(load(in + c, part) - center, broadcast(slope), (d - center2) * scale);
            int64_t i = (int64_t) row * width + c;
            store(dx + i, residual ? result + load(residual + i, part) : result, part);
        });
    });
    copy(sums, dGain, width);
    copy(sums + padded, dBias, width);
}
