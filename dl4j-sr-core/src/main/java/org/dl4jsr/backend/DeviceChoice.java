package org.dl4jsr.backend;

import org.dl4jsr.kernel.cuda.CudaDevice;
import org.dl4jsr.kernel.cuda.CudaException;
import org.dl4jsr.kernel.cuda.CudaMatmul;
import org.dl4jsr.kernel.cuda.Nvrtc;

/** Which processor runs dl4j-sr's ops under nd4j-native: chosen once, before ND4J starts. */
final class DeviceChoice {

    /**
     * System property: {@code cpu}, or {@code gpu} for the first NVIDIA GPU, which must be there. By default the GPU where
     * CUDA's bindings are on the class path and it can be had, else the CPU.
     */
    static final String DEVICE_PROPERTY = "org.dl4jsr.device";

    private static final String CPU = "cpu";
    private static final String GPU = "gpu";

    private static final DeviceChoice CHOICE = choose(System.getProperty(DEVICE_PROPERTY));

    private final boolean gpu;
    private final String problem;

    private DeviceChoice(boolean gpu, String problem) {
        this.gpu = gpu;
        this.problem = problem;
    }

    /** Whether ops of ours run on a GPU. */
    static boolean isGpu() {
        return CHOICE.gpu;
    }

    /** Why what {@link #DEVICE_PROPERTY} asks for cannot be had, in one line; null if it can. */
    static String problem() {
        return CHOICE.problem;
    }

    private static DeviceChoice choose(String device) {
        if (device != null && !device.equals(CPU) && !device.equals(GPU)) {
            return new DeviceChoice(false, DEVICE_PROPERTY + " is " + device + ", expected " + CPU + " or " + GPU);
        }
        boolean asked = GPU.equals(device);
        if (CPU.equals(device) || !asked && !hasBindings()) {
            return new DeviceChoice(false, null);
        }
        String obstacle = obstacle();
        if (obstacle == null) {
            System.err.println("dl4j-sr: ops run on " + CudaDevice.of(0) + ", in memory that it shares with the CPU");
            return new DeviceChoice(true, null);
        }
        if (asked) {
            return new DeviceChoice(false, DEVICE_PROPERTY + " is " + GPU + ", but " + obstacle);
        }
        System.err.println("dl4j-sr: the CPU runs, because " + obstacle);
        return new DeviceChoice(false, null);
    }

    private static boolean hasBindings() {
        return DeviceChoice.class.getClassLoader().getResource("org/bytedeco/cuda/global/cudart.class") != null;
    }

    /** Why the first GPU cannot be used; null if it can. */
    private static String obstacle() {
        if (!hasBindings()) {
            return "CUDA's bindings are not on the class path: add org.bytedeco:cuda with the classifier linux-x86_64";
        }
        try {
            if (CudaDevice.count() == 0) {
                return "there is no NVIDIA GPU";
            }
            CudaDevice device = CudaDevice.of(0);
            if (!device.sharesMemory()) {
                return device + " cannot share its memory with the CPU while kernels run";
            }
            CudaMatmul.load(); // here rather than at the first op
            return Nvrtc.problem(device.computeCapability());
        } catch (CudaException e) {
            return "NVIDIA's driver does not work: " + e.getMessage();
        } catch (LinkageError e) {
            return "NVIDIA's driver or CUDA's libraries (cudart, NVRTC, cuBLAS) do not load: "
                    + rootCause(e).getMessage();
        }
    }

    private static Throwable rootCause(Throwable e) {
        return e.getCause() == null ? e : rootCause(e.getCause());
    }
}
