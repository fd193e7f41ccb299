package org.dl4jsr.backend;

import org.dl4jsr.op.Device;
import org.nd4j.linalg.factory.Nd4j;

/** The op executioner of one of dl4j-sr's ND4J backends. */
public interface Bf16Executioner {

    /** Where its ops run. */
    Device device();

    /** Whether one of these backends is in force; initializes ND4J. */
    static boolean isActive() {
        return Nd4j.getExecutioner() instanceof Bf16Executioner;
    }
}
