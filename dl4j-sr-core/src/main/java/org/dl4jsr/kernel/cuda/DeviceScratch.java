package org.dl4jsr.kernel.cuda;

/** Memory of a GPU that grows to what was asked for at most and is used again and again by the work of one stream. */
final class DeviceScratch implements AutoCloseable {

    private final CudaStream stream;
    private DeviceMemory memory;

    DeviceScratch(CudaStream stream) {
        this.stream = stream;
    }

    /** At least {@code bytes} bytes; what an earlier call returned is gone. */
    DeviceMemory reserve(long bytes) {
        if (memory == null || memory.bytes() < bytes) {
            close();
            memory = new DeviceMemory(stream, bytes);
        }
        return memory;
    }

    @Override
    public void close() {
        if (memory != null) {
            stream.synchronize(); // work that was queued may still use it
            memory.close();
            memory = null;
        }
    }
}
