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

static inline void maxPool(
        int threads, void* x, const int64_t* xShape, const int64_t* xStrides, void* y, const int64_t* yShape,
        const int64_t* yStrides, const int64_t* window) {
    maxPool(threads, Image(x, xShape, xStrides), Image(y, yShape, yStrides), Window(window));
}

static inline void maxPoolGradient(
        int threads, void* x, const int64_t* xShape, const int64_t* xStrides, void* dy, const int64_t* dyShape,
        const int64_t* dyStrides, void* dx, const int64_t* dxStrides, const int64_t* window) {
    maxPoolGradient(threads, Image(x, xShape, xStrides), Image(dy, dyShape, dyStrides), Image(dx, xShape, dxStrides),
                    Window(window));
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
