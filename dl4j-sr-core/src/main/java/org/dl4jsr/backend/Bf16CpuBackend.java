package org.dl4jsr.backend;

import org.dl4jsr.kernel.cpu.CpuKernels;
import org.dl4jsr.kernel.cpu.OpenMpSettings;

/** nd4j-native with BF16 done right. */
public final class Bf16CpuBackend extends Bf16Backend {

    static {
        OpenMpSettings.limitSpinning(); // before ND4J's native library loads
    }

    /** What keeps dl4j-sr's kernels from running as they are asked to, in one line; null for nothing. */
    public static String problem() {
        return CpuKernels.problem();
    }

    /** ND4J calls this. */
    public Bf16CpuBackend() {
        super("org.nd4j.linalg.cpu.nativecpu.CpuBackend", "/org/dl4jsr/backend/nd4j-cpu.properties");
    }
}
