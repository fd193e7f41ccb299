package org.dl4jsr.kernel;

import java.util.Arrays;

/** The rules that the operands of {@link Matmul#multiply} keep. */
public final class Operands {

    private Operands() {}

    /** Throws IllegalArgumentException, naming the operands, unless they keep the contract of {@link Matmul}. */
    public static void check(Matrix a, Matrix b, Matrix c, Matrix bias, Matrix residual) {
        int rank = c.shape().length;
        if (rank < 2 || a.shape().length != rank || b.shape().length != rank) {
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
                    "Bias is " + text(bias) + ", expected " + c.type() + " [1, " + c.columns() + "]");
        }
        if (residual != null && (residual.type() != c.type() || !Arrays.equals(residual.shape(), c.shape()))) {
            throw new IllegalArgumentException("Residual is " + text(residual) + ", expected " + text(c));
        }
    }

    private static boolean broadcasts(long size, long batch) {
        return size == batch || size == 1;
    }

    private static IllegalArgumentException bad(String expected, Matrix a, Matrix b, Matrix c) {
        return new IllegalArgumentException(
                "Matmul of " + text(a) + " x " + text(b) + " -> " + text(c) + ", expected " + expected);
    }

    /** Type and shape, for messages. */
    public static String text(Matrix matrix) {
        return matrix.type() + " " + Arrays.toString(matrix.shape());
    }
}
