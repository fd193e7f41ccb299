package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cudart.cuMemFreeHost;
import static org.bytedeco.cuda.global.cudart.cuMemHostAlloc;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.Pointers;

/**
 * Memory of the host that a GPU copies to directly, many times as fast as to Java's; it grows to what was asked for at
 * most and is used again and again.
 */
final class PinnedScratch {

    private final CudaDevice device;
    private Pointer memory;
    private long capacity;

    PinnedScratch(CudaDevice device) {
        this.device = device;
    }

    /** The first {@code bytes} bytes of {@code source}, until the next call. */
    ByteBuffer read(DeviceMemory source, long bytes) {
        if (capacity < bytes) {
            grow(bytes);
        }
        source.read(0, memory, bytes);
        return memory.asByteBuffer().order(ByteOrder.nativeOrder()).limit((int) bytes);
    }

    private void grow(long bytes) {
        device.makeCurrent();
        if (memory != null) {
            checkDriver(cuMemFreeHost(memory), "cuMemFreeHost");
            memory = null;
            capacity = 0;
        }
        try (var scope = Pointers.scope()) {
            var larger = new Pointer();
            checkDriver(cuMemHostAlloc(larger, bytes, 0), () -> "cuMemHostAlloc of " + bytes + " bytes for " + device);
            memory = larger.capacity(bytes).retainReference();
        }
        capacity = bytes;
    }
}
