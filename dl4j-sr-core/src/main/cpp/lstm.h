// The cells of an LSTM, a time step at a time. A row of gates holds cell input, forget, output and input gate.

/// 1 / (1 + e^-x) with a relative error below 2^-20 for x above -80.
SIMD_FUNCTION V sigmoid(V x) {
    V limited = maximum(broadcast(-80.0f), x); // e^80 is no infinity
    return reciprocal(power2(limited * -LOG2_E) + 1.0f);
}

/// With a relative error below 2^-19.
SIMD_FUNCTION V hyperbolicTangent(V x) {
    V limited = minimum(broadcast(20.0f), maximum(broadcast(-20.0f), x)); // 1 from there on
    V square = limited * limited;
    V series = multiplyAdd(square, broadcast(62.0f / 2835), broadcast(-17.0f / 315)); // where 1 - 1 loses digits
    series = multiplyAdd(square, series, broadcast(2.0f / 15));
    series = multiplyAdd(square, series, broadcast(-1.0f / 3));
    V small = multiplyAdd(limited * square, series, limited);
    V large = 1.0f - 2.0f * reciprocal(power2(limited * (2 * LOG2_E)) + 1.0f);
    return square < 0.0625f ? small : large;
}

static inline void lstmCell(
        int threads, float* gates, const uint16_t* bias, const float* previous, float* cell, uint16_t* output, int rows,
        int width) {
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf(4 * (int64_t) rows * width)))
    for (int row = 0; row < rows; row++) {
        float* z = gates + 4 * (int64_t) row * width;
        const int64_t first = (int64_t) row * width;
        eachVector(width, [&](int64_t c, auto part) {
            const int64_t f = width + c, o = 2 * (int64_t) width + c, i = 3 * (int64_t) width + c;
            V in = hyperbolicTangent(load(z + c, part) + load(bias + c, part));
            V forget = sigmoid(load(z + f, part) + load(bias + f, part));
            V out = sigmoid(load(z + o, part) + load(bias + o, part));
            V write = sigmoid(load(z + i, part) + load(bias + i, part));
            V state = multiplyAdd(forget, load(previous + first + c, part), write * in);
            store(z + c, in, part);
            store(z + f, forget, part);
            store(z + o, out, part);
            store(z + i, write, part);
            store(cell + first + c, state, part);
            store(output + first + c, out * hyperbolicTangent(state), part);
        });
    }
}

static inline void lstmCellGradient(
        int threads, const float* gates, const float* previous, const float* cell, const uint16_t* dOutput,
        const float* dState, float* dCell, uint16_t* dGates, int rows, int width) {
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf(4 * (int64_t) rows * width)))
    for (int row = 0; row < rows; row++) {
        const float* z = gates + 4 * (int64_t) row * width;
        uint16_t* dz = dGates + 4 * (int64_t) row * width;
        const int64_t first = (int64_t) row * width;
        eachVector(width, [&](int64_t c, auto part) {
            const int64_t f = width + c, o = 2 * (int64_t) width + c, i = 3 * (int64_t) width + c;
            V in = load(z + c, part), forget = load(z + f, part), out = load(z + o, part), write = load(z + i, part);
            V gradient = load(dOutput + first + c, part);
            if (dState) {
                gradient += load(dState + first + c, part);
            }
            V active = hyperbolicTangent(load(cell + first + c, part));
            V dc = multiplyAdd(gradient * out, 1.0f - active * active, load(dCell + first + c, part));
            store(dz + c, dc * write * (1.0f - in * in), part);
            store(dz + f, dc * load(previous + first + c, part) * forget * (1.0f - forget), part);
            store(dz + o, gradient * active * out * (1.0f - out), part);
            store(dz + i, dc * in * write * (1.0f - write), part);
            store(dCell + first + c, dc * forget, part);
        });
    }
}
