package org.dl4jsr.kernel;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The optimizer's kernels over 64 Mi parameters, in elements per nanosecond, next to a copy of memory. Bytes moved per
 * element: AdamW in BF16 14, with statistics too, FP32 master 32, casts 6, sum of squares 2, copy 4 (of BF16, each byte
 * read and written). From the repository's root:
 *
 * <pre>
 * mvn -B -q test-compile org.codehaus.mojo:exec-maven-plugin:3.5.0:exec -pl dl4j-sr-core -Dexec.executable=java \
 *     -Dexec.classpathScope=test -Dexec.args="-cp %classpath org.openjdk.jmh.Main KernelBenchmark"
 * </pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(KernelBenchmark.LENGTH)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class KernelBenchmark {

    static final int LENGTH = 1 << 26;

    /** A level of {@link KernelChoice#LEVEL_PROPERTY}; empty for the best. */
    @Param("")
    public String level;

    private Kernels kernels;
    private BytePointer weights;
    private BytePointer gradient;
    private BytePointer m;
    private BytePointer v;
    private BytePointer floats;
    private BytePointer floatState;
    private int step;

    @Setup
    public void allocate() {
        kernels = KernelChoice.kernels(level.isEmpty() ? null : level);
        floats = new BytePointer(4L * LENGTH);
        floatState = new BytePointer(8L * LENGTH);
        weights = new BytePointer(2L * LENGTH);
        gradient = new BytePointer(2L * LENGTH);
        m = new BytePointer(2L * LENGTH);
        v = new BytePointer(2L * LENGTH);
        Pointer.memset(v, 0, 2L * LENGTH);
        Pointer.memset(m, 0, 2L * LENGTH);
        Pointer.memset(floatState, 0, 8L * LENGTH);
        var random = new Random(1);
        for (long i = 0; i < LENGTH; i++) {
            Memory.putFloat(floats.address() + 4 * i, random.nextFloat() - 0.5f);
        }
        kernels.toBFloat16(floats.address(), weights.address(), LENGTH);
        kernels.toBFloat16(floats.address(), gradient.address(), LENGTH);
    }

    @Benchmark
    public void adamW() {
        adamW(WeightWrite.STOCHASTIC, null);
    }

    @Benchmark
    public AdamWStatistics adamWWithStatistics() {
        var statistics = new AdamWStatistics();
        adamW(WeightWrite.STOCHASTIC, statistics);
        return statistics;
    }

    @Benchmark
    public void adamWNearest() {
        adamW(WeightWrite.NEAREST, null);
    }

    @Benchmark
    public void adamWMaster() {
        kernels.adamW(step(WeightWrite.MASTER), new AdamWArrays(FloatType.BFLOAT16, weights.address(),
                gradient.address(), floatState.address(), floatState.address() + 4L * LENGTH, floats.address(), LENGTH,
                0), null);
    }

    private void adamW(WeightWrite write, AdamWStatistics statistics) {
        kernels.adamW(step(write), new AdamWArrays(FloatType.BFLOAT16, weights.address(), gradient.address(),
                m.address(), v.address(), 0, LENGTH, 0), statistics);
    }

    private AdamWStep step(WeightWrite write) {
        return AdamWStep.of(1e-4, 0.9, 0.95, 1e-8, 0.1, 1, write, StateRounding.STOCHASTIC, 1, step++);
    }

    @Benchmark
    public void toBFloat16() {
        kernels.toBFloat16(floats.address(), gradient.address(), LENGTH);
    }

    @Benchmark
    public void toFloat() {
        kernels.toFloat(gradient.address(), floats.address(), LENGTH);
    }

    @Benchmark
    public void stochasticRound() {
        kernels.stochasticRound(floats.address(), gradient.address(), LENGTH, 1, step++, 0);
    }

    @Benchmark
    public double sumOfSquares() {
        return kernels.sumOfSquares(FloatType.BFLOAT16, gradient.address(), LENGTH);
    }

    /** A copy of BF16 by memcpy, on as many threads as there are processors. */
    @Benchmark
    public void copy() {
        int threads = Runtime.getRuntime().availableProcessors();
        Parallel.loop(threads, threads, piece -> {
            long start = LENGTH * piece / threads;
            long end = LENGTH * (piece + 1) / threads;
            Pointer.memcpy(new BytePointer(m).position(2 * start), new BytePointer(gradient).position(2 * start),
                    2 * (end - start));
        });
    }
}
