package org.dl4jsr.benchmarks.gpu;

import static org.bytedeco.cuda.global.cudart.cuMemcpyDtoDAsync;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.dl4jsr.kernel.cuda.CudaStream;
import org.dl4jsr.kernel.cuda.DeviceMemory;
import org.dl4jsr.rounding.BFloat16;

/** Memory of a GPU for {@link GpuBenchmark}, with random content; addresses hold until all of it is freed. */
final class RandomMemory {

    /** Bytes that are random; what is longer repeats them. */
    private static final int PERIOD = 1 << 22;

    private final CudaStream stream;
    private final List<DeviceMemory> allocated = new ArrayList<>();

    RandomMemory(CudaStream stream) {
        this.stream = stream;
    }

    /** Normally distributed BF16 values; read as FP32, they are numbers, too. */
    long normal(long bytes) {
        return fill(bytes, 0xFFFF);
    }

    /** As {@link #normal} without the signs. */
    long positive(long bytes) {
        return fill(bytes, 0x7FFF);
    }

    /** INT32 from 0 to {@code bound - 1}. */
    long integers(int count, int bound) {
        DeviceMemory memory = allocate(4L * count);
        try (var onHost = new IntPointer(new Random(count).ints(count, 0, bound).toArray())) {
            memory.write(0, onHost, memory.bytes());
        }
        return memory.address();
    }

    void free() {
        stream.synchronize();
        allocated.forEach(DeviceMemory::close);
        allocated.clear();
    }

    private long fill(long bytes, int mask) {
        DeviceMemory memory = allocate(bytes);
        var random = new Random(bytes);
        byte[] values = new byte[(int) Math.min(bytes, PERIOD)];
        for (int i = 0; i + 1 < values.length; i += 2) {
            int bits = BFloat16.fromFloat((float) random.nextGaussian() * 0.1f) & mask;
            values[i] = (byte) bits;
            values[i + 1] = (byte) (bits >> 8);
        }
        try (var onHost = new BytePointer(values)) {
            memory.write(0, onHost, values.length);
        }
        for (long done = values.length; done < bytes; done *= 2) {
            checkDriver(
                    cuMemcpyDtoDAsync(
                            memory.address() + done, memory.address(), Math.min(done, bytes - done), stream.handle()),
                    "cuMemcpyDtoDAsync");
        }
        return memory.address();
    }

    private DeviceMemory allocate(long bytes) {
        var memory = new DeviceMemory(stream, bytes);
        allocated.add(memory);
        return memory;
    }
}
