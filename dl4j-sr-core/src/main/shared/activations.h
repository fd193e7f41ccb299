// The activation functions of org.dl4jsr.kernel.Activation, by the same names, for one value or a vector of values.
// Included once for each instruction set, inside its namespace, after the file that defines there
//   V                             float or a vector of them
//   SIMD_FUNCTION                 how such a function is declared
//   broadcast(float)              that value in all lanes
//   multiplyAdd(V, V, V)          a * b + c, rounded once where the processor can
//   maximum(V, V), minimum(V, V)  the second one where one is NaN
//   reciprocal(V)                 of values in [1, 2^126)
//   power2(V), LOG2_E             2^t for t below 127, and log2(e)
// They promise a bound, not bits. A derivative comes with the value, y, which shares most of its work.

/// The greater of x and 0; NaN stays.
struct RELU {
    SIMD_FUNCTION V value(V x) {
        return maximum(broadcast(0), x);
    }

    SIMD_FUNCTION V derivative(V x, V& y) {
        y = value(x);
        return x > 0.0f ? broadcast(1) : broadcast(0);
    }
};

static constexpr float GELU_LINEAR = 1.5957691216f; // 2 sqrt(2 / pi)
static constexpr float GELU_CUBIC = 0.044715f * GELU_LINEAR;

/// Below, GELU and its derivative are zero for all that FP32 can tell, and e^-t still is not infinite.
static constexpr float GELU_LEAST = -10;

/// GELU in the tanh form: 0.5 x (1 + tanh(t / 2)) = x / (1 + e^-t).
struct GELU {
    /// e^-t and 1 / (1 + e^-t).
    struct Sigmoid {
        V exponential, value;
    };

    /// Of t(x), with no loss of digits. x is at least GELU_LEAST.
    SIMD_FUNCTION Sigmoid sigmoid(V x, V square) {
        V factor = multiplyAdd(square, broadcast(-GELU_CUBIC * LOG2_E), broadcast(-GELU_LINEAR * LOG2_E));
        V exponential = power2(x * factor);
        return {exponential, reciprocal(exponential + 1.0f)};
    }

    /// Relative error below 2^-17, most of it from rounding t; absolute error below 1e-33 where the value is smaller.
    SIMD_FUNCTION V value(V x) {
        V limited = maximum(broadcast(GELU_LEAST), x);
        return limited * sigmoid(limited, limited * limited).value;
    }

    /// Absolute error below 2^-20.
    SIMD_FUNCTION V derivative(V x, V& y) {
        V atLeast = maximum(broadcast(GELU_LEAST), x);
        V limited = minimum(broadcast(-GELU_LEAST), atLeast); // from there on sigmoid and derivative are 1
        V square = limited * limited;
        Sigmoid s = sigmoid(limited, square);
        y = atLeast * s.value;
        V slope = limited * multiplyAdd(square, broadcast(3 * GELU_CUBIC), broadcast(GELU_LINEAR));
        return multiplyAdd(slope, s.exponential * s.value * s.value, s.value);
    }
};

#define ACTIVATIONS(X) X(RELU) X(GELU)
