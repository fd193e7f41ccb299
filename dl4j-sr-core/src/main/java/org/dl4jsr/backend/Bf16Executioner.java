package org.dl4jsr.backend;

import org.dl4jsr.op.Device;
import org.nd4j.linalg.factory.Nd4j;

/** The op executioner of one of dl4j-sr's ND4J backends. */
public interface Bf16Executioner {

    /** Where its ops run. */
    Device device();

    /**
     * Where the ops of this process run; initializes ND4J.
     *
     * @param by what needs it, for the message
     * @throws IllegalStateException if none of these backends is in force
     */
    static Device requiredBy(String by) {
        if (Nd4j.getExecutioner() instanceof Bf16Executioner ours) {
            return ours.device();
        }
        throw new IllegalStateException(by + " needs dl4j-sr's ND4J backend, and "
                + Nd4j.getBackend().getClass().getName()
                + " is in force: remove other ND4J backends from the class path and the variables"
                + " BACKEND_PRIORITY_CPU and BACKEND_PRIORITY_GPU from the environment");
    }
}
