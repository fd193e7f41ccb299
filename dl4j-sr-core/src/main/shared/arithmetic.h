// The operations of org.dl4jsr.kernel.Arithmetic, by the same names and in the same order, on a and b of type Value, a
// float or a vector of them.
#define ARITHMETIC(X) \
    X(ADD, a + b) \
    X(SUBTRACT, a - b) \
    X(MULTIPLY, a * b) \
    X(DIVIDE, a / b) \
    X(REVERSE_SUBTRACT, b - a) \
    X(REVERSE_DIVIDE, b / a) \
    X(MAXIMUM, a < b ? b : a) \
    X(GATE, a > 0 ? b : Value{})
