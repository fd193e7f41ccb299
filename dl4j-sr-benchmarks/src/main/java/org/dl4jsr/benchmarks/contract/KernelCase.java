package org.dl4jsr.benchmarks.contract;

import org.dl4jsr.kernel.KernelSet;

/** What one op must do on every processor. */
public interface KernelCase {

    /** The op. */
    String name();

    /**
     * Runs the op on random arrays and corners.
     *
     * @param largest elements of the longest arrays of ops that take any length
     */
    void run(Comparison comparison, RandomArrays arrays, int largest);

    /** Whether a processor with these kernels has the op. */
    default boolean appliesTo(KernelSet kernels) {
        return true;
    }
}
