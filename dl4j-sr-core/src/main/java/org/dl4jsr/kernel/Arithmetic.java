package org.dl4jsr.kernel;

/** c = a operation b. Each has its formula here, which the Java kernels run, and in arithmetic.h, in the same order. */
public enum Arithmetic {
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    /** b - a. */
    REVERSE_SUBTRACT,
    /** b / a. */
    REVERSE_DIVIDE,
    /** b where it is greater than a, else a. */
    MAXIMUM,
    /** b where a is positive, else 0. */
    GATE;

    /** In FP32. */
    public float of(float a, float b) {
        return switch (this) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case REVERSE_SUBTRACT -> b - a;
            case REVERSE_DIVIDE -> b / a;
            case MAXIMUM -> a < b ? b : a;
            case GATE -> a > 0 ? b : 0;
        };
    }
}
