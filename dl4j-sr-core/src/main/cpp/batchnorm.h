// Batch normalization (Ioffe, Szegedy, arXiv 1502.03167): sums over the planes of a channel, or down the rows.

/// total[k][c] = the sum of term k over the elements of channel c, for K terms. addTerms adds those of a vector, which
/// lies at an index of the arrays, to K vectors of sums; its channels are one in planes, and the vector's own in rows.
template <int K, class AddTerms>
static inline void sumChannels(int threads, const Channels& a, float* const* totals, AddTerms addTerms) {
    const int used = threadsFor(threads, blocksOf(a.length()));
    if (a.inPlanes()) {
#pragma omp parallel for num_threads(used)
        for (int64_t c = 0; c < a.channels; c++) {
            float sums[K] = {};
            for (int64_t o = 0; o < a.outer; o++) {
                V planeSums[K] = {};
                eachVector(a.inner, [&](int64_t i, auto part) {
                    addTerms(a.plane(o, c) + i, part, [&](const float* values, auto) { return broadcast(values[c]); },
                             [&](int k, V term) { planeSums[k] += within(term, part, V{}); });
                });
                for (int k = 0; k < K; k++) {
                    sums[k] += sum(planeSums[k]);
                }
            }
            for (int k = 0; k < K; k++) {
                totals[k][c] = sums[k];
            }
        }
        return;
    }
    const int padded = roundUp((int) a.channels, LANES);
    const float* sums = sumRows(used, (int) a.inner, K * padded, [&](int row, float* rowSums) {
        eachVector(a.channels, [&](int64_t c, auto part) {
            addTerms(row * a.innerStride + c, part, [&](const float* values, auto p) { return load(values + c, p); },
                     [&](int k, V term) {
                         float* to = rowSums + k * padded + c;
                         store(to, load(to) + within(term, part, V{}));
                     });
        });
    });
    for (int k = 0; k < K; k++) {
        memcpy(totals[k], sums + k * padded, a.channels * sizeof(float));
    }
}

/// Calls body(index, Whole or Part, channel values of an FP32 array) for the vectors of all elements.
template <class Body>
static inline void eachOfChannels(int threads, const Channels& a, Body body) {
    const int used = threadsFor(threads, blocksOf(a.length()));
    if (a.inPlanes()) {
        const int64_t planes = a.outer * a.channels;
#pragma omp parallel for num_threads(used)
        for (int64_t plane = 0; plane < planes; plane++) {
            const int64_t c = plane % a.channels, start = a.plane(plane / a.channels, c);
            eachVector(a.inner, [&](int64_t i, auto part) {
                body(start + i, part, [&](const float* values, auto) { return broadcast(values[c]); });
            });
        }
        return;
    }
#pragma omp parallel for num_threads(used)
    for (int64_t row = 0; row < a.inner; row++) {
        eachVector(a.channels, [&](int64_t c, auto part) {
            body(row * a.innerStride + c, part, [&](const float* values, auto p) { return load(values + c, p); });
        });
    }
}

static inline void batchNormStatistics(
        int threads, const uint16_t* x, const Channels& a, float* mean, float* variance) {
    sumChannels<1>(threads, a, &mean, [&](int64_t i, auto part, auto, auto add) { add(0, load(x + i, part)); });
    for (int64_t c = 0; c < a.channels; c++) {
        mean[c] /= a.elements();
    }
    sumChannels<1>(threads, a, &variance, [&](int64_t i, auto part, auto of, auto add) {
        V deviation = load(x + i, part) - of(mean, part);
        add(0, deviation * deviation);
    });
    for (int64_t c = 0; c < a.channels; c++) {
        variance[c] /= a.elements();
    }
}

static inline void batchNorm(
        int threads, const uint16_t* x, const Channels& a, const uint16_t* gain, const uint16_t* bias,
        const float* mean, const float* variance, float epsilon, uint16_t* y) {
    static thread_local Scratch memory;
    float *scales = memory.floats(2 * a.channels), *shifts = scales + a.channels;
    for (int64_t c = 0; c < a.channels; c++) {
        scales[c] = scalar::load(gain + c) / sqrtf(variance[c] + epsilon);
        shifts[c] = scalar::load(bias + c);
    }
    eachOfChannels(threads, a, [&](int64_t i, auto part, auto of) {
        V centered = load(x + i, part) - of(mean, part);
        store(y + i, multiplyAdd(centered, of(scales, part), of(shifts, part)), part);
    });
}

static inline void batchNormGradient(
        int threads, const uint16_t* x, const Channels& a, const uint16_t* gain, const float* mean,
        const float* variance, float epsilon, const uint16_t* dy, uint16_t* dx, uint16_t* dGain, uint16_t* dBias) {
    static thread_local Scratch memory;
    float *sums = memory.floats(3 * a.channels), *products = sums + a.channels, *scales = products + a.channels;
    float* const totals[] = {sums, products};
    sumChannels<2>(threads, a, totals, [&](int64_t i, auto part, auto of, auto add) {
        V d = load(dy + i, part);
        add(0, d);
        add(1, d * (load(x + i, part) - of(mean, part)));
    });
    for (int64_t c = 0; c < a.channels; c++) {
        const float rstd = 1 / sqrtf(variance[c] + epsilon);
        scalar::store(dGain + c, scalar::nearest(products[c] * rstd));
        scalar::store(dBias + c, scalar::nearest(sums[c]));
        scales[c] = scalar::load(gain + c) * rstd;
        sums[c] /= a.elements();
        products[c] *= rstd * rstd / a.elements();
    }
    eachOfChannels(threads, a, [&](int64_t i, auto part, auto of) {
        V centered = load(x + i, part) - of(mean, part);
        V d = load(dy + i, part) - of(sums, part);
        store(dx + i, (d - centered * of(products, part)) * of(scales, part), part);
    });
}
