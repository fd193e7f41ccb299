package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cudart.CUDA_ERROR_NO_DEVICE;
import static org.bytedeco.cuda.global.cudart.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static org.bytedeco.cuda.global.cudart.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static org.bytedeco.cuda.global.cudart.CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS;
import static org.bytedeco.cuda.global.cudart.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static org.bytedeco.cuda.global.cudart.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static org.bytedeco.cuda.global.cudart.cuCtxSetCurrent;
import static org.bytedeco.cuda.global.cudart.cuDeviceGet;
import static org.bytedeco.cuda.global.cudart.cuDeviceGetAttribute;
import static org.bytedeco.cuda.global.cudart.cuDeviceGetCount;
import static org.bytedeco.cuda.global.cudart.cuDeviceGetName;
import static org.bytedeco.cuda.global.cudart.cuDevicePrimaryCtxRetain;
import static org.bytedeco.cuda.global.cudart.cuInit;
import static org.bytedeco.cuda.global.cudart.cuMemGetInfo;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.javacpp.SizeTPointer;
import org.dl4jsr.kernel.Pointers;

/** A GPU and its primary context, the one that CUDA's runtime API and ND4J use as well. */
public final class CudaDevice {

    private static final Map<Integer, CudaDevice> DEVICES = new ConcurrentHashMap<>();

    private final int ordinal;
    private final CUctx_st context;
    private final String name;
    private final int multiprocessors;
    private final int computeCapability;
    private final int sharedMemoryPerBlock;
    private final boolean sharesMemory;
    private final AtomicLong scratch = new AtomicLong();
    private final KernelModules modules = new KernelModules(this, KernelCache.ofUser());

    private CudaDevice(int ordinal) {
        this.ordinal = ordinal;
        int[] device = new int[1];
        checkDriver(cuInit(0), "cuInit");
        checkDriver(cuDeviceGet(device, ordinal), "cuDeviceGet of device " + ordinal);
        try (var scope = Pointers.scope()) {
            context = new CUctx_st().retainReference();
            checkDriver(cuDevicePrimaryCtxRetain(context, device[0]), "cuDevicePrimaryCtxRetain of device " + ordinal);
        }
        byte[] text = new byte[256];
        checkDriver(cuDeviceGetName(text, text.length, device[0]), "cuDeviceGetName");
        name = new String(text, StandardCharsets.US_ASCII).split("\0", 2)[0];
        multiprocessors = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device[0]);
        computeCapability = 10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device[0])
                + attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device[0]);
        sharedMemoryPerBlock = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, device[0]);
        sharesMemory = attribute(CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS, device[0]) != 0;
    }

    /**
     * The number of GPUs that the driver shows this process.
     *
     * @throws CudaException where it does not work
     * @throws LinkageError where there is no driver
     */
    public static int count() {
        int[] count = new int[1];
        int code = cuInit(0);
        if (code == CUDA_ERROR_NO_DEVICE) {
            return 0;
        }
        checkDriver(code, "cuInit");
        checkDriver(cuDeviceGetCount(count), "cuDeviceGetCount");
        return count[0];
    }

    /** The device of this ordinal, from 0. */
    public static CudaDevice of(int ordinal) {
        return DEVICES.computeIfAbsent(ordinal, CudaDevice::new);
    }

    /** As the driver names it. */
    public String name() {
        return name;
    }

    /** Number of streaming multiprocessors. */
    public int multiprocessors() {
        return multiprocessors;
    }

    /** Major version times ten plus minor: 90 for an H200. */
    public int computeCapability() {
        return computeCapability;
    }

    /** Bytes of shared memory that one block can have at most. */
    int sharedMemoryPerBlock() {
        return sharedMemoryPerBlock;
    }

    /** Whether the CPU may touch managed memory while kernels run: on Linux, from compute capability 6.0 on. */
    public boolean sharesMemory() {
        return sharesMemory;
    }

    /** Bytes of the GPU's memory that are free now. */
    public long freeMemory() {
        makeCurrent();
        try (var free = new SizeTPointer(1);
                var total = new SizeTPointer(1)) {
            checkDriver(cuMemGetInfo(free, total), () -> "cuMemGetInfo of " + this);
            return free.get();
        }
    }

    /** Counts bytes that {@link DeviceMemory} takes, or gives back where they are less than 0. */
    void addScratch(long bytes) {
        scratch.addAndGet(bytes);
    }

    /** Bytes that {@link DeviceMemory} has taken. */
    long scratch() {
        return scratch.get();
    }

    /** The kernels loaded on this device. */
    KernelModules modules() {
        return modules;
    }

    /** Makes the primary context current on the calling thread; every call of the driver needs that. */
    public void makeCurrent() {
        checkDriver(cuCtxSetCurrent(context), () -> "cuCtxSetCurrent to the context of " + this);
    }

    @Override
    public String toString() {
        return name + " (device " + ordinal + ", compute capability " + computeCapability / 10 + "."
                + computeCapability % 10 + ")";
    }

    private static int attribute(int attribute, int device) {
        int[] value = new int[1];
        checkDriver(cuDeviceGetAttribute(value, attribute, device), () -> "cuDeviceGetAttribute " + attribute);
        return value[0];
    }
}
