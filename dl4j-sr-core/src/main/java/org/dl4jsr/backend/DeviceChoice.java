package org.dl4jsr.backend;

import org.dl4jsr.kernel.RootCause;
import org.dl4jsr.kernel.cuda.CudaDevice;
import org.dl4jsr.kernel.cuda.CudaException;
import org.dl4jsr.kernel.cuda.Nvrtc;
import org.dl4jsr.kernel.cuda.UnifiedGpu;

/** Which processor runs dl4j-sr's ops under nd4j-native: chosen once, before ND4J starts. */
public final class DeviceChoice {

    /**
     * System property: {@code cpu}, or {@code gpu} for the first NVIDIA GPU, which must be there. By default the GPU where
     * CUDA's bindings are on the class path and it can be had, else the CPU.
     */
    static final String DEVICE_PROPERTY = "org.dl4jsr.device";

    private static final String CPU = "cpu";
    private static final String GPU = "gpu";

    /** The variable by which CUDA itself shows a process some GPUs alone. */
    private static final String VISIBLE = "CUDA_VISIBLE_DEVICES";

    private static final DeviceChoice CHOICE = choose(System.getProperty(DEVICE_PROPERTY));

    private final UnifiedGpu gpu;
    private final String problem;

    private DeviceChoice(UnifiedGpu gpu, String problem) {
        this.gpu = gpu;
        this.problem = problem;
    }

    /** Whether ops of ours run on a GPU. */
    static boolean isGpu() {
        return CHOICE.gpu != null;
    }

    /** The GPU that ops of ours run on; null for the CPU. */
    public static UnifiedGpu gpu() {
        return CHOICE.gpu;
    }

    /** Why what {@link #DEVICE_PROPERTY} asks for cannot be had, in one line; null if it can. */
    static String problem() {
        return CHOICE.problem;
    }

    /** A choice that nobody has asked for is said. */
    private static DeviceChoice choose(String device) {
        if (device != null && !device.equals(CPU) && !device.equals(GPU)) {
            return new DeviceChoice(null, DEVICE_PROPERTY + " is " + device + ", expected " + CPU + " or " + GPU);
        }
        boolean asked = GPU.equals(device);
        if (CPU.equals(device) || !asked && !hasBindings()) {
            return new DeviceChoice(null, null);
        }
        String obstacle;
        try {
            obstacle = obstacle();
            UnifiedGpu gpu = obstacle == null ? UnifiedGpu.of(CudaDevice.of(0)) : null;
            if (gpu != null && gpu.memory().left() > 0) {
                if (!asked) {
                    System.err.println("dl4j-sr: ops run on " + CudaDevice.of(0)
                            + ", in memory that it shares with the CPU" + others(CudaDevice.count() - 1));
                }
                return new DeviceChoice(gpu, null);
            }
            obstacle = gpu == null ? obstacle : CudaDevice.of(0) + " has too little free memory";
        } catch (CudaException e) {
            obstacle = "NVIDIA's driver does not work: " + e.getMessage();
        } catch (OutOfMemoryError e) {
            obstacle = "there is not enough " + e.getMessage();
        } catch (LinkageError e) {
            obstacle = "NVIDIA's driver or CUDA's libraries (cudart, NVRTC, cuBLAS) do not load: "
                    + RootCause.of(e).getMessage();
        }
        if (asked) {
            return new DeviceChoice(null, DEVICE_PROPERTY + " is " + GPU + ", but " + obstacle);
        }
        System.err.println("dl4j-sr: the CPU runs, because " + obstacle);
        return new DeviceChoice(null, null);
    }

    private static boolean hasBindings() {
        return DeviceChoice.class.getClassLoader().getResource("org/bytedeco/cuda/global/cudart.class") != null;
    }

    /** Why the first GPU cannot be used; null if nothing is known. */
    private static String obstacle() {
        if (!hasBindings()) {
            return "CUDA's bindings are not on the class path: add org.bytedeco:cuda with the classifier linux-x86_64";
        }
        if (CudaDevice.count() == 0) {
            String visible = System.getenv(VISIBLE);
            return "there is no NVIDIA GPU" + (visible == null ? "" : " where " + VISIBLE + " is '" + visible + "'");
        }
        CudaDevice device = CudaDevice.of(0);
        return device.sharesMemory()
                ? Nvrtc.problem(device.computeCapability())
                : device + " cannot share its memory with the CPU while kernels run";
    }

    private static String others(int count) {
        return count == 0 ? "" : "; " + VISIBLE + " chooses another of the " + (count + 1) + " GPUs";
    }
}
