package org.dl4jsr.kernel;

/** The right factor of many products, prepared for them once: see {@link Matmul#rightFactor}. */
public interface RightFactor {

    /**
     * c = a times this factor + beta * c.
     *
     * @param a [rows, k]
     * @param c [rows, n], as in {@link Matmul#multiply}
     */
    void multiply(StridedArray a, StridedArray c, float beta);
}
