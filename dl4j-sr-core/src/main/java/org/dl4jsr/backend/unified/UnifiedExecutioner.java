package org.dl4jsr.backend.unified;

import org.dl4jsr.backend.CpuExecutioner;

/** The executioner of {@link UnifiedDevice}. ND4J creates it by name. */
public final class UnifiedExecutioner extends CpuExecutioner {

    /** ND4J calls this. */
    public UnifiedExecutioner() {
        super(UnifiedDevice.INSTANCE);
    }
}
