// The kernels of NativeArrayKernels: what Java calls. Arrays are BF16, if not said otherwise.

static inline void arithmetic(
        int instructionSet, int threads, int operation, int rank, const int64_t* loops, Array a, Array b, Array c) {
    const uint16_t* second = b;
    DL4JSR_DISPATCH(arithmetic(threads, operation, Loops<3>(rank, loops), a, second, c))
}

/// The second operand is one FP32 value.
static inline void arithmeticByNumber(
        int instructionSet, int threads, int operation, int rank, const int64_t* loops, Array a, float b, Array c) {
    const float* second = &b;
    DL4JSR_DISPATCH(arithmetic(threads, operation, Loops<3>(rank, loops), a, second, c))
}

static inline void lookUp(int threads, int rank, const int64_t* loops, Array table, Array x, Array y) {
    scalar::lookUp(threads, Loops<2>(rank, loops), table, x, y);
}

static inline void multiplyLookUp(
        int instructionSet, int threads, bool gate, int rank, const int64_t* loops, Array table, Array x, Array dy,
        Array dx) {
    DL4JSR_DISPATCH(multiplyLookUp(threads, gate, Loops<3>(rank, loops), table, x, dy, dx))
}

static inline void im2col(int threads, const int64_t* image, const int64_t* columns, const int64_t* window) {
    im2col(threads, Image(image), Columns<uint16_t>(columns), Window(window));
}

static inline void col2im(
        int threads, int columnsType, const int64_t* columns, const int64_t* image, const int64_t* window) {
    if (columnsType == FLOAT) {
        col2im(threads, Columns<float>(columns), Image(image), Window(window));
    } else {
        col2im(threads, Columns<uint16_t>(columns), Image(image), Window(window));
    }
}

/// Whether the channels of all these images lie contiguously, and are enough for vectors.
static inline bool inVectors(const Image& a, const Image& b) {
    return a.strides[1] == 1 && b.strides[1] == 1 && a.channels >= 4;
}

static inline void maxPool(
        int instructionSet, int threads, const int64_t* x, const int64_t* y, const int64_t* window) {
    const Image from(x), to(y);
    if (inVectors(from, to)) {
        DL4JSR_DISPATCH(transformer::maxPool(threads, from, to, Window(window)))
    }
    maxPool(threads, from, to, Window(window));
}

static inline void maxPoolGradient(
        int instructionSet, int threads, const int64_t* x, const int64_t* dy, const int64_t* dx,
        const int64_t* window) {
    const Image of(x), from(dy), to(dx);
    if (inVectors(of, from) && inVectors(of, to)) {
        DL4JSR_DISPATCH(transformer::maxPoolGradient(threads, of, from, to, Window(window)))
    }
    maxPoolGradient(threads, of, from, to, Window(window));
}

static inline void averagePool(
        int instructionSet, int threads, const int64_t* x, const int64_t* y, const int64_t* window, bool padding) {
    const Image from(x), to(y);
    if (inVectors(from, to)) {
        DL4JSR_DISPATCH(transformer::averagePool(threads, from, to, Window(window), padding))
    }
    averagePool(threads, from, to, Window(window), padding);
}

static inline void averagePoolGradient(
        int instructionSet, int threads, const int64_t* dy, const int64_t* dx, const int64_t* window, bool padding) {
    const Image from(dy), to(dx);
    if (inVectors(from, to)) {
        DL4JSR_DISPATCH(transformer::averagePoolGradient(threads, from, to, Window(window), padding))
    }
    averagePoolGradient(threads, from, to, Window(window), padding);
}

static inline void lstmCell(
        int instructionSet, int threads, Array gates, Array bias, Array previous, Array cell, Array output, int rows,
        int width) {
    DL4JSR_DISPATCH(transformer::lstmCell(threads, gates, bias, previous, cell, output, rows, width))
}

static inline void lstmCellGradient(
        int instructionSet, int threads, Array gates, Array previous, Array cell, Array dOutput, Array dState,
        Array dCell, Array dGates, int rows, int width) {
    DL4JSR_DISPATCH(transformer::lstmCellGradient(
            threads, gates, previous, cell, dOutput, dState, dCell, dGates, rows, width))
}

static inline void batchNormStatistics(
        int instructionSet, int threads, const int64_t* x, Array mean, Array variance) {
    const Channels a(x);
    DL4JSR_DISPATCH(transformer::batchNormStatistics(threads, a.values, a, mean, variance))
}

static inline void batchNorm(
        int instructionSet, int threads, const int64_t* x, Array gain, Array bias, Array mean, Array variance,
        float epsilon, Array y) {
    const Channels a(x);
    DL4JSR_DISPATCH(transformer::batchNorm(threads, a.values, a, gain, bias, mean, variance, epsilon, y))
}

static inline void batchNormGradient(
        int instructionSet, int threads, const int64_t* x, Array gain, Array mean, Array variance, float epsilon,
        Array dy, Array dx, Array dGain, Array dBias) {
    const Channels a(x);
    DL4JSR_DISPATCH(transformer::batchNormGradient(
            threads, a.values, a, gain, mean, variance, epsilon, dy, dx, dGain, dBias))
}

static inline void keyAttention(
        int instructionSet, int threads, Array q, Array k, Array v, Array visible, Array out, Array logSumExp,
        int batch, int queries, int keys, int heads, int headWidth) {
    const int type = BFLOAT16;
    DL4JSR_DISPATCH_ATTENTION(
            keyAttention, threads, q, k, v, visible, out, logSumExp, batch, queries, keys, heads, headWidth)
}

static inline void keyAttentionGradient(
        int instructionSet, int threads, Array q, Array k, Array v, Array visible, Array out, Array logSumExp,
        Array dOut, Array dQ, Array dK, Array dV, int batch, int queries, int keys, int heads, int headWidth) {
    const int type = BFLOAT16;
    DL4JSR_DISPATCH_ATTENTION(
            keyAttentionGradient, threads, q, k, v, visible, out, logSumExp, dOut, dQ, dK, dV, batch, queries, keys,
            heads, headWidth)
}
