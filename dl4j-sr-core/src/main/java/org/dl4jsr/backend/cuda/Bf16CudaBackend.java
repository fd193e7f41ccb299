package org.dl4jsr.backend.cuda;

import java.util.Objects;
import java.util.stream.IntStream;
import org.dl4jsr.backend.Bf16Backend;
import org.dl4jsr.kernel.RootCause;
import org.dl4jsr.kernel.cuda.CudaDevice;
import org.dl4jsr.kernel.cuda.CudaException;

/**
 * nd4j-cuda-11.6 with BF16 done right. Its libraries hold code for compute capability 3.7 to 8.6 and none that newer
 * GPUs could compile: they run up to 8.9.
 */
public final class Bf16CudaBackend extends Bf16Backend {

    private static final int FIRST_CAPABILITY = 37;
    private static final int LAST_CAPABILITY = 89;

    /** ND4J calls this. */
    public Bf16CudaBackend() {
        super("org.nd4j.linalg.jcublas.JCublasBackend", "/org/dl4jsr/backend/cuda/nd4j-cuda.properties");
    }

    /**
     * Why nd4j-cuda, which is on the class path, cannot run on this machine, in one line; null if it can, or if it is
     * not on the class path.
     */
    public static String problem() {
        return new Bf16CudaBackend().hasStock() ? Machine.PROBLEM : null;
    }

    /** Looked at once: libraries that have not loaded do not say why a second time. */
    private static final class Machine {

        static final String PROBLEM = problem();

        private static String problem() {
            try {
                int devices = CudaDevice.count();
                return IntStream.range(0, devices)
                        .mapToObj(CudaDevice::of)
                        .map(Machine::problem)
                        .filter(Objects::nonNull)
                        .findFirst()
                        .orElse(devices > 0 ? null : "nd4j-cuda is on the class path, but there is no NVIDIA GPU");
            } catch (CudaException e) {
                return "nd4j-cuda is on the class path, but NVIDIA's driver does not work: " + e.getMessage();
            } catch (OutOfMemoryError e) {
                return "nd4j-cuda is on the class path, but there is not enough " + e.getMessage();
            } catch (LinkageError e) {
                return "nd4j-cuda is on the class path, but NVIDIA's driver or CUDA 11.6 is not installed: "
                        + RootCause.of(e).getMessage();
            }
        }

        private static String problem(CudaDevice device) {
            int capability = device.computeCapability();
            return FIRST_CAPABILITY <= capability && capability <= LAST_CAPABILITY
                    ? null
                    : "nd4j-cuda-11.6 has no code for " + device + ", only for compute capability 3.7 to 8.9; hide this"
                            + " GPU by the variable CUDA_VISIBLE_DEVICES, or run on the CPU";
        }
    }

    /** @throws IllegalStateException if the machine cannot run nd4j-cuda; ND4J logs the message and looks further */
    @Override
    public boolean isAvailable() {
        String problem = problem();
        if (problem != null) {
            throw new IllegalStateException(problem);
        }
        return super.isAvailable();
    }
}
