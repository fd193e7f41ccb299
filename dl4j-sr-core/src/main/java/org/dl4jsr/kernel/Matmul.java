package org.dl4jsr.kernel;

/**
 * Matrix multiplication with FP32 accumulation, whatever the storage; each result is rounded once, to nearest.
 */
public interface Matmul {

    /** The implementation that was chosen for this process, with {@link Autocast} applied where that is on. */
    static Matmul get() {
        return KernelChoice.matmul();
    }

    /** What runs, for logs. */
    String description();

    /**
     * c = alpha * a b + beta * c + bias + residual, batched over leading dimensions, where a dimension of 1 in a or b
     * broadcasts.
     *
     * @param a [..., m, k]
     * @param b [..., k, n]
     * @param c [..., m, n]; must not overlap a or b
     * @param bias [1, n] of c's type, or null
     * @param residual of c's shape and type, or null; may be c itself
     */
    void multiply(Matrix a, Matrix b, Matrix c, float alpha, float beta, Matrix bias, Matrix residual);

    /** c = a b. */
    default void multiply(Matrix a, Matrix b, Matrix c) {
        multiply(a, b, c, 1f, 0f, null, null);
    }
}
