package org.dl4jsr.updater;

import org.dl4jsr.backend.Bf16Executioner;
import org.nd4j.linalg.factory.Nd4j;

/** Stochastic rounding of the weight write happens in dl4j-sr's ND4J backend. */
final class RequiredBackend {

    private RequiredBackend() {}

    /** @throws IllegalStateException if another backend is in force */
    static void check(String updater) {
        if (!Bf16Executioner.isActive()) {
            throw new IllegalStateException(updater + " needs dl4j-sr's ND4J backend, and "
                    + Nd4j.getBackend().getClass().getName() + " is in force: remove other ND4J backends from the class"
                    + " path and the variables BACKEND_PRIORITY_CPU and BACKEND_PRIORITY_GPU from the environment");
        }
    }
}
