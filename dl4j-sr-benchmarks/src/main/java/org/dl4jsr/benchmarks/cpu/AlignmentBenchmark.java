package org.dl4jsr.benchmarks.cpu;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.cpu.CpuKernels;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What an operand off a line of the cache costs a product of BF16, 2048 x 384 x 1536, in milliseconds. On AMX
 * each such factor halves oneDNN's speed, so that ours copies it first, which is in the figure; on AVX-512 it costs little
 * and is not copied. Run it as {@link KernelBenchmark}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class AlignmentBenchmark {

    private static final int ROWS = 2048;
    private static final int INNER = 384;
    private static final int COLUMNS = 1536;

    /** What lies 16 bytes behind a line: nothing, a, b, the result or all. */
    @Param({"nothing", "a", "b", "result", "all"})
    public String unaligned;

    private Matmul matmul;
    private BytePointer memory;
    private long end;
    private StridedArray a;
    private StridedArray b;
    private StridedArray c;

    @Setup
    public void allocate() {
        matmul = CpuKernels.ofLevel(null, 0).matmul();
        memory = new BytePointer(2L * (ROWS * INNER + INNER * COLUMNS + ROWS * COLUMNS) + 4L * 4096);
        end = memory.address();
        a = matrix("a", ROWS, INNER);
        b = matrix("b", INNER, COLUMNS);
        c = matrix("result", ROWS, COLUMNS);
    }

    private StridedArray matrix(String name, int rows, int columns) {
        boolean shifted = unaligned.equals(name) || unaligned.equals("all");
        long address = Memory.aligned(end) + (shifted ? 16 : 0);
        var random = new Random(rows);
        for (long i = 0; i < (long) rows * columns; i++) {
            int bits = Float.floatToRawIntBits((float) random.nextGaussian()) >>> 16;
            Memory.putShort(address + 2 * i, (short) bits);
        }
        end = address + 2L * rows * columns;
        return StridedArray.rowMajor(FloatType.BFLOAT16, address, rows, columns);
    }

    @TearDown
    public void free() {
        memory.close();
    }

    @Benchmark
    public void product() {
        matmul.multiply(a, b, c);
    }
}
