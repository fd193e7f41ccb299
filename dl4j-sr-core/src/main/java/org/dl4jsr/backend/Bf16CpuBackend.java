package org.dl4jsr.backend;

import org.dl4jsr.kernel.OpenMpSettings;
import org.nd4j.common.io.ClassPathResource;
import org.nd4j.common.io.Resource;
import org.nd4j.linalg.cpu.nativecpu.CpuBackend;

/**
 * ND4J's CPU backend with BF16 done right: store BF16, compute FP32. ND4J finds it by {@code META-INF/services} and
 * prefers it to the stock CPU backend.
 */
public final class Bf16CpuBackend extends CpuBackend {

    private static final int ABOVE_STOCK = 50;

    static {
        OpenMpSettings.limitSpinning(); // before ND4J's native library loads
    }

    @Override
    public int getPriority() {
        return super.getPriority() + ABOVE_STOCK;
    }

    @Override
    public Resource getConfigurationResource() {
        return new ClassPathResource("/org/dl4jsr/backend/nd4j-cpu.properties", Bf16CpuBackend.class.getClassLoader());
    }
}
