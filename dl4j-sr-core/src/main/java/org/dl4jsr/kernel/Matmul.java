package org.dl4jsr.kernel;

import java.util.Arrays;

/**
 * Matrix multiplication with FP32 accumulation, whatever the storage; each result is rounded once, to nearest.
 */
public interface Matmul {

    /** What runs, for logs. */
    String description();

    /** Whether a BF16 result may also be rounded before its bias is added, not only after. */
    default boolean roundsBeforeBias() {
        return false;
    }

    /**
     * c = alpha * a b + beta * c + bias + residual, batched over leading dimensions, where a dimension of 1 in a or b
     * broadcasts.
     *
     * @param a [..., m, k]
     * @param b [..., k, n], of a's type
     * @param c [..., m, n] of a's type or FLOAT; must not overlap a or b
     * @param bias [1, n] of c's type, or null
     * @param residual of c's shape and type, or null; may be c itself
     */
    void multiply(
            StridedArray a,
            StridedArray b,
            StridedArray c,
            float alpha,
            float beta,
            StridedArray bias,
            StridedArray residual);

    /** c = a b. */
    default void multiply(StridedArray a, StridedArray b, StridedArray c) {
        multiply(a, b, c, 1f, 0f, null, null);
    }

    /**
     * b, [k, n], for many products by the calling thread. It serves for as long as b stays as it is and the thread asks
     * for no other one.
     */
    default RightFactor rightFactor(StridedArray b) {
        return (a, c, beta) -> multiply(a, b, c, 1, beta, null, null);
    }

    /** For implementations: throws IllegalArgumentException, naming the operands, unless they keep the contract. */
    static void check(StridedArray a, StridedArray b, StridedArray c, StridedArray bias, StridedArray residual) {
        int rank = c.rank();
        if (rank < 2 || a.rank() != rank || b.rank() != rank) {
            throw bad("ranks of 2 or more, all equal", a, b, c);
        }
        for (int i = 0; i < rank - 2; i++) {
            if (!broadcasts(a.shape()[i], c.shape()[i]) || !broadcasts(b.shape()[i], c.shape()[i])) {
                throw bad("leading dimensions of a and b equal to c's, or 1", a, b, c);
            }
        }
        if (a.rows() != c.rows() || b.columns() != c.columns() || a.columns() != b.rows()) {
            throw bad("[m, k] x [k, n] -> [m, n]", a, b, c);
        }
        if (Arrays.stream(c.shape()).anyMatch(size -> size < 1) || a.columns() < 1) {
            throw bad("no dimension under 1", a, b, c);
        }
        if (a.type() != b.type() || (c.type() != a.type() && c.type() != FloatType.FLOAT)) {
            throw bad("a and b of one type and c of that type or FLOAT", a, b, c);
        }
        if (bias != null && (bias.type() != c.type() || !Arrays.equals(bias.shape(), new long[] {1, c.columns()}))) {
            throw new IllegalArgumentException(
                    "Bias is " + bias + ", expected " + c.type() + " [1, " + c.columns() + "]");
        }
        if (residual != null && (residual.type() != c.type() || !Arrays.equals(residual.shape(), c.shape()))) {
            throw new IllegalArgumentException("Residual is " + residual + ", expected " + c);
        }
    }

    private static boolean broadcasts(long size, long batch) {
        return size == batch || size == 1;
    }

    private static IllegalArgumentException bad(String expected, StridedArray a, StridedArray b, StridedArray c) {
        return new IllegalArgumentException("Matmul of " + a + " x " + b + " -> " + c + ", expected " + expected);
    }
}
