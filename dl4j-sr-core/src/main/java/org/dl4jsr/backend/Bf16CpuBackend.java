package org.dl4jsr.backend;

import org.dl4jsr.kernel.cpu.CpuKernels;
import org.dl4jsr.kernel.cpu.OpenMpSettings;
import org.nd4j.common.io.ClassPathResource;
import org.nd4j.common.io.Resource;

/** nd4j-native with BF16 done right, on the CPU or on a GPU that shares its memory. */
public final class Bf16CpuBackend extends Bf16Backend {

    static {
        OpenMpSettings.limitSpinning(); // before ND4J's native library loads
    }

    /** What keeps dl4j-sr's kernels from running as they are asked to, in one line; null for nothing. */
    public static String problem() {
        String problem = new Bf16CpuBackend().hasStock() ? DeviceChoice.problem() : null;
        return problem == null ? CpuKernels.problem() : problem;
    }

    /** ND4J calls this. */
    public Bf16CpuBackend() {
        super("org.nd4j.linalg.cpu.nativecpu.CpuBackend", "/org/dl4jsr/backend/nd4j-cpu.properties");
    }

    /** Whether a GPU runs dl4j-sr's ops under nd4j-native; does not start ND4J. */
    public static boolean isOnGpu() {
        return new Bf16CpuBackend().hasStock() && DeviceChoice.isGpu();
    }

    /** @throws IllegalStateException if the GPU that was asked for cannot be had */
    @Override
    public Resource getConfigurationResource() {
        String problem = DeviceChoice.problem();
        if (problem != null) {
            throw new IllegalStateException(problem);
        }
        return DeviceChoice.isGpu()
                ? new ClassPathResource(
                        "/org/dl4jsr/backend/unified/nd4j-unified.properties",
                        getClass().getClassLoader())
                : super.getConfigurationResource();
    }
}
