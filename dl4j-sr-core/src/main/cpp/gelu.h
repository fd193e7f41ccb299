// GELU in the tanh form (Hendrycks, Gimpel, arXiv 1606.08415): 0.5 x (1 + tanh(t / 2)) = x / (1 + e^-t).

static const float GELU_LINEAR = 1.5957691216f; // 2 sqrt(2 / pi)
static const float GELU_CUBIC = 0.044715f * GELU_LINEAR;

/// Below, GELU and its derivative are zero for all that FP32 can tell, and e^-t still is not infinite.
static const float GELU_LEAST = -10;

/// Of t(x): e^-t and 1 / (1 + e^-t), with no loss of digits. x is at least GELU_LEAST.
struct Sigmoid {
    V exponential, value;

    Sigmoid(V x, V square) {
        V factor = multiplyAdd(square, broadcast(-GELU_CUBIC * LOG2_E), broadcast(-GELU_LINEAR * LOG2_E));
        exponential = power2(x * factor);
        value = reciprocal(exponential + 1.0f);
    }
};

/// Relative error below 2^-17, most of it from rounding t; absolute error below 1e-33 where the value is smaller.
SIMD_FUNCTION V gelu(V x) {
    V limited = maximum(broadcast(GELU_LEAST), x);
    return limited * Sigmoid(limited, limited * limited).value;
}

/// Absolute error below 2^-20.
SIMD_FUNCTION V geluDerivative(V x) {
    V limited = minimum(broadcast(-GELU_LEAST), maximum(broadcast(GELU_LEAST), x)); // 1 from there on
    V square = limited * limited;
    Sigmoid sigmoid(limited, square);
    V slope = limited * multiplyAdd(square, broadcast(3 * GELU_CUBIC), broadcast(GELU_LINEAR));
    return multiplyAdd(slope, sigmoid.exponential * sigmoid.value * sigmoid.value, sigmoid.value);
}

template <class T>
static inline void geluForward(int threads, const T* x, T* y, int64_t length) {
    const int64_t blocks = blocksOf(length);
#pragma omp parallel for num_threads(threadsFor(threads, blocks))
    for (int64_t block = 0; block < blocks; block++) {
        int64_t first = block * BLOCK;
        eachVector(blockEnd(block, length) - first, [&](int64_t i, auto part) {
            store(y + first + i, gelu(load(x + first + i, part)), part);
        });
    }
}

template <class T>
static inline void geluBackward(int threads, const T* x, const T* dy, T* dx, T* dBias, int rows, int width) {
    const float* sums = sumRows(threads, rows, width, [&](int row, float* rowSums) {
        eachVector(width, [&](int64_t c, auto part) {
            int64_t i = (int64_t) row * width + c;
            V gradient = load(dy + i, part) * geluDerivative(load(x + i, part));
            store(rowSums + c, load(rowSums + c) + gradient);
            store(dx + i, gradient, part);
        });
    });
    copy(sums, dBias, width);
}
