package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cudart.CU_STREAM_NON_BLOCKING;
import static org.bytedeco.cuda.global.cudart.cuStreamCreate;
import static org.bytedeco.cuda.global.cudart.cuStreamSynchronize;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.Pointers;

/** A queue of work of one device; kernels and products of one stream run in the order in which they were given. */
public final class CudaStream {

    private final CudaDevice device;
    private final CUstream_st handle;

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

    /** Waits until all work given so far is done. */
    public void synchronize() {
        device.makeCurrent();
        checkDriver(cuStreamSynchronize(handle), () -> "cuStreamSynchronize on " + device);
    }

    /** For calls of the driver. */
    public CUstream_st handle() {
        return handle;
    }
}
