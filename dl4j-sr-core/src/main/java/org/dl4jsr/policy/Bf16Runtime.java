package org.dl4jsr.policy;

import java.util.OptionalLong;
import org.dl4jsr.backend.Bf16CpuBackend;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.backend.cuda.Bf16CudaBackend;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What runs in this process, for logs and bug reports: {@code System.out.println(Bf16Runtime.current())}.
 *
 * @param backend ND4J's backend in force
 * @param kernels implementation, instruction set and threads of dl4j-sr's kernels
 * @param matmul implementation of BF16 matrix products
 * @param threads of ND4J's own ops
 */
public record Bf16Runtime(String backend, String kernels, String matmul, int threads) {

    /**
     * What is in force now; initializes ND4J.
     *
     * @throws IllegalStateException if dl4j-sr's backend is not in force, which says why
     */
    public static Bf16Runtime current() {
        Device device = Bf16Executioner.requiredBy("Bf16Runtime");
        return new Bf16Runtime(
                Nd4j.getBackend().getClass().getName(),
                device.kernels().description(),
                device.matmul().description(),
                Nd4j.getEnvironment().maxThreads());
    }

    /** Whether a GPU that shares nd4j-native's memory runs dl4j-sr's ops; does not initialize ND4J. */
    public static boolean isOnGpu() {
        return Bf16CpuBackend.isOnGpu();
    }

    /** Bytes that arrays can still have on the GPU that runs dl4j-sr's ops; empty where the CPU runs them. */
    public static OptionalLong gpuMemoryLeft() {
        return Bf16Executioner.requiredBy("Bf16Runtime").memoryLeft();
    }

    /** Bytes of that GPU's memory that this process takes; empty where the CPU runs the ops. */
    public static OptionalLong gpuMemoryTaken() {
        return Bf16Executioner.requiredBy("Bf16Runtime").memoryTaken();
    }

    /** Returns once what has been given to that GPU is done: to be called around what is timed. */
    public static void await() {
        Bf16Executioner.requiredBy("Bf16Runtime").await();
    }

    /**
     * What keeps this process from running, in one line: a GPU backend of ND4J on the class path that this machine
     * cannot run, or kernels asked for by system property that it does not have; null for nothing.
     */
    public static String problem() {
        String problem = Bf16CudaBackend.problem();
        return problem == null ? Bf16CpuBackend.problem() : problem;
    }

    @Override
    public String toString() {
        return "backend " + backend + "; kernels " + kernels + "; matmul " + matmul + "; threads " + threads;
    }
}
