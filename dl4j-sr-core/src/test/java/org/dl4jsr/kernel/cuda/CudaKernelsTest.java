package org.dl4jsr.kernel.cuda;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The CUDA kernels, compiled by g++ and launched through a fake driver, agree with the Java kernels, and give the same
 * bits on another fake GPU, which has more multiprocessors and runs blocks and threads in other orders.
 */
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class CudaKernelsTest {

    @BeforeAll
    static void load() {
        FakeCuda.load();
    }

    @ParameterizedTest
    @EnumSource
    void agreesWithJava(KernelCheck check) {
        var comparison = new KernelComparison(new CudaStream(CudaDevice.of(0)), new CudaStream(CudaDevice.of(1)));
        check.run(comparison, 5, 200_000); // more than a grid of the fake GPU covers at once
    }
}
