package org.dl4jsr.examples.bench;

import java.util.stream.IntStream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.policy.Bf16Runtime;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What this machine can do at most, measured in this process: the floors of {@link ProfileRun}. */
final class MachineSpeed {

    /** Rows and columns of the matrices. */
    static final int SIZE = 2048;

    private static final int PRODUCTS = 5;
    private static final long LARGEST_COPY = 256 << 20;
    private static final long COPIED = 1 << 30;
    /** Of a GPU, which a read at the end waits for. */
    private static final int COPIES = 50;

    private MachineSpeed() {}

    /** Floating-point operations a second of the best of some products of large square matrices of this type. */
    static double operationsPerSecond(DataType type) {
        try (INDArray a = Nd4j.rand(DataType.FLOAT, SIZE, SIZE).castTo(type);
                INDArray b = Nd4j.rand(DataType.FLOAT, SIZE, SIZE).castTo(type);
                INDArray c = Nd4j.create(type, SIZE, SIZE)) {
            return 2.0
                    * SIZE
                    * SIZE
                    * SIZE
                    / fastest(PRODUCTS, () -> {
                        a.mmul(b, c);
                        c.getFloat(0, 0); // a GPU has only queued it
                    });
        }
    }

    /**
     * Bytes a second, read and written, of the best copy: on a GPU in its memory, else one that touches {@code bytes}
     * bytes, by all processors. What fits into the caches comes from there.
     */
    static double bytesPerSecond(long bytes) {
        return Bf16Runtime.isOnGpu() ? onGpu() : onCpu(bytes);
    }

    private static double onGpu() {
        // half of what is left, which two arrays of BF16 share
        long length = Math.min(LARGEST_COPY, Bf16Runtime.gpuMemoryLeft().orElseThrow() / 8);
        try (INDArray source = Nd4j.create(DataType.BFLOAT16, length);
                INDArray target = Nd4j.create(DataType.BFLOAT16, length)) {
            return 4.0
                    * length
                    * COPIES
                    / fastest(PRODUCTS, () -> {
                        for (int i = 0; i < COPIES; i++) {
                            target.assign(source);
                        }
                        target.getFloat(0);
                    });
        }
    }

    private static double onCpu(long bytes) {
        int threads = Runtime.getRuntime().availableProcessors();
        long piece = Math.max(1, Math.min(bytes, LARGEST_COPY) / 2 / threads);
        long times = Math.max(2, COPIED / (2 * piece * threads));
        try (BytePointer source = new BytePointer(piece * threads);
                BytePointer target = new BytePointer(piece * threads)) {
            // memory that was never written is one page of zeros, which the caches hold
            Pointer.memset(source, 1, piece * threads);
            return 2
                    * piece
                    * threads
                    / fastest((int) Math.min(times, 1000), () -> IntStream.range(0, threads)
                            .parallel()
                            .forEach(thread -> Pointer.memcpy(
                                    new BytePointer(target).position(thread * piece),
                                    new BytePointer(source).position(thread * piece),
                                    piece)));
        }
    }

    private static double fastest(int times, Runnable action) {
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < times; i++) {
            long start = System.nanoTime();
            action.run();
            best = Math.min(best, (System.nanoTime() - start) / 1e9);
        }
        return best;
    }
}
