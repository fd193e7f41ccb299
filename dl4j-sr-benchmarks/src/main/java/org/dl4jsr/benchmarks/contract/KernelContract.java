package org.dl4jsr.benchmarks.contract;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** All cases, and how one is checked. */
public final class KernelContract {

    private KernelContract() {}

    /** One case an op; an op without one is not held by anything. */
    public static List<KernelCase> cases() {
        return Stream.<KernelCase[]>of(
                        OptimizerCases.values(),
                        TransformerCases.values(),
                        AttentionCases.values(),
                        MatmulCases.values(),
                        ArrayCases.values(),
                        LayerCases.values())
                .flatMap(Stream::of)
                .toList();
    }

    /**
     * Runs a case on the Java kernels and on those of {@code implementations} that have the op.
     *
     * @param largest elements of the longest arrays of ops that take any length
     * @throws BrokenContractException naming the implementation, the call and the first element that is wrong
     */
    public static void check(KernelCase kernelCase, List<Implementation> implementations, long seed, int largest) {
        var oracle = HostProcessor.reference(Runtime.getRuntime().availableProcessors());
        List<Implementation> those = implementations.stream()
                .filter(implementation ->
                        kernelCase.appliesTo(implementation.processors().get(0).kernels()))
                .toList();
        kernelCase.run(new Comparison(oracle, those), new RandomArrays(new Random(seed)), largest);
    }
}
