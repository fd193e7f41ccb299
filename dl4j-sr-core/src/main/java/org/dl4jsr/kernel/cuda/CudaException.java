package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cublas.CUBLAS_STATUS_ALLOC_FAILED;
import static org.bytedeco.cuda.global.cublas.cublasGetStatusString;
import static org.bytedeco.cuda.global.cudart.CUDA_ERROR_OUT_OF_MEMORY;
import static org.bytedeco.cuda.global.cudart.cuGetErrorName;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetErrorString;

import java.util.function.Supplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;

/** A call of CUDA's driver, of NVRTC or of cuBLAS that failed; the message names the call, the code and its name. */
public final class CudaException extends RuntimeException {

    CudaException(String call, int code, String name) {
        super(call + " failed: " + name + " (" + code + ")");
    }

    /**
     * Throws unless {@code code}, which the driver's {@code call} returned, is CUDA_SUCCESS.
     *
     * @throws OutOfMemoryError where there is no memory left for it
     */
    public static void checkDriver(int code, String call) {
        checkDriver(code, () -> call);
    }

    static void checkDriver(int code, Supplier<String> call) {
        if (code == CUDA_ERROR_OUT_OF_MEMORY) {
            throw outOfMemory(call.get() + " failed");
        }
        if (code != 0) {
            throw new CudaException(call.get(), code, driverName(code));
        }
    }

    /** Throws unless {@code code}, which NVRTC's {@code call} returned, is NVRTC_SUCCESS. */
    static void checkNvrtc(int code, String call) {
        if (code != 0) {
            throw new CudaException(call, code, nvrtcGetErrorString(code).getString());
        }
    }

    /** Throws unless {@code code}, which cuBLAS's {@code call} returned, is CUBLAS_STATUS_SUCCESS. */
    static void checkCublas(int code, Supplier<String> call) {
        if (code == CUBLAS_STATUS_ALLOC_FAILED) {
            throw outOfMemory(call.get() + " failed");
        }
        if (code != 0) {
            throw new CudaException(
                    call.get(), code, cublasGetStatusString(code).getString());
        }
    }

    /** Says what has happened, and what helps. */
    static OutOfMemoryError outOfMemory(String what) {
        return new OutOfMemoryError(
                "GPU memory: " + what + ": take a smaller model, batch or context, or -Dorg.dl4jsr.device=cpu");
    }

    private static String driverName(int code) {
        try (var name = new PointerPointer<BytePointer>(1)) {
            boolean known = cuGetErrorName(code, name) == 0 && name.get() != null;
            return known ? name.get(BytePointer.class, 0).getString() : "unknown error";
        }
    }
}
