package org.dl4jsr.benchmarks.contract;

import java.util.ArrayList;
import java.util.List;
import org.dl4jsr.kernel.cuda.CudaDevice;
import org.dl4jsr.kernel.cuda.CudaStream;
import org.dl4jsr.kernel.cuda.FakeCuda;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each case on the CPU's kernels at every level that this processor has, and on the CUDA kernels, compiled by g++ and
 * launched through a fake driver, where there is g++. Two fake GPUs must give the same bits: they have different numbers
 * of multiprocessors and run blocks and threads in opposite orders.
 */
@Tag("slow")
class KernelContractTest {

    /** More than a grid of the fake GPU covers at once, and enough for three threads. */
    private static final int LARGEST = 200_000;

    private static final List<Implementation> IMPLEMENTATIONS = implementations();

    @ParameterizedTest(name = "{0}")
    @MethodSource("org.dl4jsr.benchmarks.contract.KernelContract#cases")
    void isKept(KernelCase kernelCase) {
        KernelContract.check(kernelCase, IMPLEMENTATIONS, 5, LARGEST);
    }

    private static List<Implementation> implementations() {
        var implementations = new ArrayList<>(HostProcessor.implementations());
        if (FakeCuda.canBeBuilt()) {
            FakeCuda.load();
            implementations.add(new Implementation("CUDA", List.of(gpu(0), gpu(1))));
        }
        return implementations;
    }

    private static Processor gpu(int ordinal) {
        return new CudaProcessor(new CudaStream(CudaDevice.of(ordinal)));
    }
}
