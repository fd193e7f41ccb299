package org.dl4jsr.backend;

import org.dl4jsr.op.Device;
import org.nd4j.linalg.factory.Nd4j;

/** The op executioner of one of dl4j-sr's ND4J backends. */
public interface Bf16Executioner {

    /** Where its ops run. */
    Device device();

    /**
     * Where the ops of this process run; initializes ND4J and loads the kernels.
     *
     * @param by what needs it, for the message
     * @throws IllegalStateException if none of these backends is in force, its kernels do not load, or it has
     *     no thread; says why and what to do
     */
    static Device requiredBy(String by) {
        if (Nd4j.getExecutioner() instanceof Bf16Executioner ours) {
            int threads = Nd4j.getEnvironment().maxThreads();
            if (threads < 1) {
                throw new IllegalStateException(by + ": ND4J runs on " + threads + " threads, with which it computes"
                        + " nothing: set OMP_NUM_THREADS to 1 or more, or unset it");
            }
            ours.device().kernels();
            return ours.device();
        }
        throw MissingBackend.neededBy(by);
    }
}
