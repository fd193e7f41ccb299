package org.dl4jsr.benchmarks.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.dl4jsr.kernel.cuda.CudaDevice;
import org.dl4jsr.kernel.cuda.CudaStream;
import org.dl4jsr.kernel.cuda.FakeCuda;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each case on the CPU's kernels at every level that this processor has, and on the CUDA kernels, compiled by g++ and
 * launched through a fake driver, where there is g++. Two fake GPUs must give the same bits: they have different numbers
 * of multiprocessors and run blocks and threads in opposite orders.
 */
@Tag("slow")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class KernelContractTest {

    /** More than a grid of the fake GPU covers at once, and enough for three threads. */
    private static final int LARGEST = 200_000;

    private static final List<Implementation> IMPLEMENTATIONS = implementations();
    private static final Set<KernelCase> DONE = new HashSet<>();

    @ParameterizedTest(name = "{0}")
    @MethodSource("org.dl4jsr.benchmarks.contract.KernelContract#cases")
    void isKept(KernelCase kernelCase) {
        KernelContract.check(kernelCase, IMPLEMENTATIONS, 5, LARGEST);
        DONE.add(kernelCase);
    }

    /** A kernel that no case runs is not held by anything, on a real GPU neither. */
    @Test
    @Order(Integer.MAX_VALUE) // after the cases; of those that have not run it runs the CUDA kernels alone
    @EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
    void everyKernelRuns() {
        var gpu = new Implementation("CUDA", List.of(gpu(0)));
        KernelContract.cases().stream()
                .filter(kernelCase -> !DONE.contains(kernelCase))
                .forEach(kernelCase -> KernelContract.check(kernelCase, List.of(gpu), 5, LARGEST));
        assertEquals(Set.of(), FakeCuda.kernelsThatNeverRan());
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
