// The kernels of NativeArrayKernels: what Java calls. Arrays are BF16, if not said otherwise.

static inline void arithmetic(
        int instructionSet, int threads, int operation, int rank, const int64_t* loops, const uint16_t* a,
        const uint16_t* b, uint16_t* c) {
    DL4JSR_DISPATCH(arithmetic(threads, operation, Loops<3>(rank, loops), a, b, c))
}

/// The second operand is one FP32 value.
static inline void arithmetic(
        int instructionSet, int threads, int operation, int rank, const int64_t* loops, const uint16_t* a, float b,
        uint16_t* c) {
    const float* second = &b;
    DL4JSR_DISPATCH(arithmetic(threads, operation, Loops<3>(rank, loops), a, second, c))
}

static inline void lookUp(
        int threads, int rank, const int64_t* loops, const uint16_t* table, const uint16_t* x, uint16_t* y) {
    scalar::lookUp(threads, Loops<2>(rank, loops), table, x, y);
}

static inline void multiplyLookUp(
        int instructionSet, int threads, bool gate, int rank, const int64_t* loops, const float* table,
        const uint16_t* x, const uint16_t* dy, uint16_t* dx) {
    DL4JSR_DISPATCH(multiplyLookUp(threads, gate, Loops<3>(rank, loops), table, x, dy, dx))
}

static inline void im2col(
        int threads, void* image, const int64_t* imageShape, const int64_t* imageStrides, void* columns,
        const int64_t* columnsShape, const int64_t* columnsStrides, const int64_t* window) {
    im2col(threads, Image(image, imageShape, imageStrides), Columns<uint16_t>(columns, columnsShape, columnsStrides),
           Window(window));
}

static inline void col2im(
        int threads, int columnsType, void* columns, const int64_t* columnsShape, const int64_t* columnsStrides,
        void* image, const int64_t* imageShape, const int64_t* imageStrides, const int64_t* window) {
    const Image to(image, imageShape, imageStrides);
    if (columnsType == FLOAT) {
        col2im(threads, Columns<float>(columns, columnsShape, columnsStrides), to, Window(window));
    } else {
        col2im(threads, Columns<uint16_t>(columns, columnsShape, columnsStrides), to, Window(window));
    }
}

/// Whether the channels of all these images lie contiguously, and are enough for vectors.
static inline bool inVectors(const Image& a, const Image& b) {
    return a.strides[1] == 1 && b.strides[1] == 1 && a.channels >= 4;
}

static inline void maxPool(
        int instructionSet, int threads, void* x, const int64_t* xShape, const int64_t* xStrides, void* y,
        const int64_t* yShape, const int64_t* yStrides, const int64_t* window) {
    const Image from(x, xShape, xStrides), to(y, yShape, yStrides);
    if (inVectors(from, to)) {
        DL4JSR_DISPATCH(transformer::maxPool(threads, from, to, Window(window)))
    }
    maxPool(threads, from, to, Window(window));
}

static inline void maxPoolGradient(
        int instructionSet, int threads, void* x, const int64_t* xShape, const int64_t* xStrides, void* dy,
        const int64_t* dyShape, const int64_t* dyStrides, void* dx, const int64_t* dxStrides, const int64_t* window) {
    const Image of(x, xShape, xStrides), from(dy, dyShape, dyStrides), to(dx, xShape, dxStrides);
    if (inVectors(of, from) && inVectors(of, to)) {
        DL4JSR_DISPATCH(transformer::maxPoolGradient(threads, of, from, to, Window(window)))
    }
    maxPoolGradient(threads, of, from, to, Window(window));
}

static inline void lstmCell(
        int instructionSet, int threads, float* gates, const uint16_t* bias, const float* previous, float* cell,
        uint16_t* output, int rows, int width) {
    DL4JSR_DISPATCH(transformer::lstmCell(threads, gates, bias, previous, cell, output, rows, width))
}

static inline void lstmCellGradient(
        int instructionSet, int threads, const float* gates, const float* previous, const float* cell,
        const uint16_t* dOutput, const float* dState, float* dCell, uint16_t* dGates, int rows, int width) {
    DL4JSR_DISPATCH(transformer::lstmCellGradient(
            threads, gates, previous, cell, dOutput, dState, dCell, dGates, rows, width))
}

static inline void batchNormStatistics(
        int instructionSet, int threads, const uint16_t* x, const int64_t* shape, const int64_t* strides, float* mean,
        float* variance) {
    DL4JSR_DISPATCH(transformer::batchNormStatistics(threads, x, Channels(shape, strides), mean, variance))
}

static inline void batchNorm(
        int instructionSet, int threads, const uint16_t* x, const int64_t* shape, const int64_t* strides,
        const uint16_t* gain, const uint16_t* bias, const float* mean, const float* variance, float epsilon,
        uint16_t* y) {
    DL4JSR_DISPATCH(transformer::batchNorm(
            threads, x, Channels(shape, strides), gain, bias, mean, variance, epsilon, y))
}

static inline void batchNormGradient(
        int instructionSet, int threads, const uint16_t* x, const int64_t* shape, const int64_t* strides,
        const uint16_t* gain, const float* mean, const float* variance, float epsilon, const uint16_t* dy,
        uint16_t* dx, uint16_t* dGain, uint16_t* dBias) {
    DL4JSR_DISPATCH(transformer::batchNormGradient(
            threads, x, Channels(shape, strides), gain, mean, variance, epsilon, dy, dx, dGain, dBias))
}

static inline void keyAttention(
        int instructionSet, int threads, Array q, Array k, Array v, const uint16_t* visible, Array out,
        float* logSumExp, int batch, int queries, int keys, int heads, int headWidth) {
    const int type = BFLOAT16;
    DL4JSR_DISPATCH_ATTENTION(
            keyAttention, threads, q, k, v, visible, out, logSumExp, batch, queries, keys, heads, headWidth)
}

static inline void keyAttentionGradient(
        int instructionSet, int threads, Array q, Array k, Array v, const uint16_t* visible, Array out,
        const float* logSumExp, Array dOut, Array dQ, Array dK, Array dV, int batch, int queries, int keys, int heads,
        int headWidth) {
    const int type = BFLOAT16;
    DL4JSR_DISPATCH_ATTENTION(
            keyAttentionGradient, threads, q, k, v, visible, out, logSumExp, dOut, dQ, dK, dV, batch, queries, keys,
            heads, headWidth)
}
