package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cudart.cuMemAlloc;
import static org.bytedeco.cuda.global.cudart.cuMemFree;
import static org.bytedeco.cuda.global.cudart.cuMemcpyDtoHAsync;
import static org.bytedeco.cuda.global.cudart.cuMemcpyHtoDAsync;

import java.lang.ref.Cleaner;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.composed.GrowingMemory;

/** Memory of a GPU, copied to and from on one stream. */
public final class DeviceMemory implements AutoCloseable {

    private static final Cleaner CLEANER = Cleaner.create();

    private final CudaStream stream;
    private final long bytes;
    private final long address;

    /** So many bytes of the stream's GPU, until {@link #close}. */
    public DeviceMemory(CudaStream stream, long bytes) {
        this.stream = stream;
        this.bytes = bytes;
        stream.device().makeCurrent();
        long[] address = new long[1];
        stream.check(cuMemAlloc(address, bytes), () -> "cuMemAlloc of " + bytes + " bytes on " + stream.device());
        this.address = address[0];
        stream.device().addScratch(bytes);
    }

    /**
     * Memory for work on {@code stream} to leave something in for the work after it; freed once nobody has it any more, as
     * that of a thread that has ended.
     */
    public static GrowingMemory growing(CudaStream stream) {
        var scratch = new DeviceScratch(stream);
        GrowingMemory memory = bytes -> scratch.reserve(bytes).address();
        CLEANER.register(memory, scratch::close);
        return memory;
    }

    /** Of the first byte, for kernels. */
    public long address() {
        return address;
    }

    /** The size. */
    public long bytes() {
        return bytes;
    }

    /** Copies {@code bytes} from {@code source} on the host to {@code offset}, and waits for it. */
    public void write(long offset, Pointer source, long bytes) {
        stream.device().makeCurrent();
        stream.check(
                cuMemcpyHtoDAsync(address + offset, source, bytes, stream.handle()),
                () -> "cuMemcpyHtoDAsync of " + bytes + " bytes to 0x" + Long.toHexString(address + offset));
        stream.synchronize();
    }

    /** Copies {@code bytes} from {@code offset} to {@code target} on the host, and waits for it. */
    public void read(long offset, Pointer target, long bytes) {
        stream.device().makeCurrent();
        stream.check(
                cuMemcpyDtoHAsync(target, address + offset, bytes, stream.handle()),
                () -> "cuMemcpyDtoHAsync of " + bytes + " bytes from 0x" + Long.toHexString(address + offset));
        stream.synchronize();
    }

    @Override
    public void close() {
        stream.device().makeCurrent();
        stream.check(cuMemFree(address), () -> "cuMemFree of 0x" + Long.toHexString(address));
        stream.device().addScratch(-bytes);
    }
}
