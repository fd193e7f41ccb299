package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cublas.CUBLAS_STATUS_ALLOC_FAILED;
import static org.bytedeco.cuda.global.cudart.CUDA_ERROR_OUT_OF_MEMORY;
import static org.bytedeco.cuda.global.cudart.CU_STREAM_NON_BLOCKING;
import static org.bytedeco.cuda.global.cudart.cuStreamCreate;
import static org.bytedeco.cuda.global.cudart.cuStreamSynchronize;
import static org.dl4jsr.kernel.cuda.CudaException.checkCublas;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.Pointers;

/** A queue of work of one device; kernels and products of one stream run in the order in which they were given. */
public final class CudaStream {

    /** How many pieces of work an error that shows after them names: it is one of the last as a rule. */
    private static final int NAMED = 8;

    private final CudaDevice device;
    private final CUstream_st handle;
    private final Deque<String> latest = new ArrayDeque<>(NAMED);
    private volatile long given;
    private volatile long done;
    private DeviceMemory workspace;

    /** The stream whose cudaStream_t, which is the caller's, is the address of {@code handle}. */
    public CudaStream(CudaDevice device, Pointer handle) {
        this.device = device;
        this.handle = new CUstream_st(Pointers.at(handle.address()));
    }

    /** A new stream, which lives as long as the process. */
    public CudaStream(CudaDevice device) {
        this.device = device;
        device.makeCurrent();
        try (var scope = Pointers.scope()) {
            handle = new CUstream_st().retainReference();
        }
        checkDriver(cuStreamCreate(handle, CU_STREAM_NON_BLOCKING), () -> "cuStreamCreate on " + device);
    }

    /** Where the work runs. */
    public CudaDevice device() {
        return device;
    }

    /** To be told of a piece of work once it has been given to the stream. */
    synchronized void given(String work) {
        if (latest.size() == NAMED) {
            latest.removeFirst();
        }
        latest.addLast(work);
        given++;
    }

    /** How many pieces of work there have been. */
    long given() {
        return given;
    }

    /** How many pieces of work are known to be done; all that were given before these are, too. */
    long done() {
        return done;
    }

    /** Whether there is work that is not known to be done. */
    boolean isBusy() {
        return done < given;
    }

    /** Waits until all work given so far is done, if any is not known to be. */
    public void await() {
        if (isBusy()) {
            synchronize();
        }
    }

    /**
     * Waits until all work given so far is done.
     *
     * @throws CudaException for an error of that work, which names the last pieces of it
     */
    public void synchronize() {
        long before = given;
        device.makeCurrent();
        check(cuStreamSynchronize(handle), () -> "cuStreamSynchronize on " + device);
        finished(before);
    }

    private synchronized void finished(long before) {
        done = Math.max(done, before);
    }

    /**
     * Throws unless {@code code}, which the driver's {@code call} returned, is CUDA_SUCCESS. The message names the last work
     * given, too: its error is what every later call returns.
     */
    void check(int code, Supplier<String> call) {
        checkDriver(code, code == CUDA_ERROR_OUT_OF_MEMORY ? call : () -> call.get() + afterWork());
    }

    /** The same of a call of cuBLAS. */
    void checkProduct(int code, Supplier<String> call) {
        checkCublas(code, code == CUBLAS_STATUS_ALLOC_FAILED ? call : () -> call.get() + afterWork());
    }

    private synchronized String afterWork() {
        return latest.isEmpty()
                ? ""
                : " after " + String.join(", ", latest) + " (CUDA_LAUNCH_BLOCKING=1 shows an error where it happens)";
    }

    /** What products may use while they run: as much as NVIDIA advises for the GPU, reserved when first asked for. */
    synchronized DeviceMemory workspace() {
        if (workspace == null) {
            workspace = new DeviceMemory(this, (device.computeCapability() < 90 ? 4L : 32L) << 20);
        }
        return workspace;
    }

    /** For calls of the driver. */
    public CUstream_st handle() {
        return handle;
    }
}
