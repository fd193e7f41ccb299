package org.dl4jsr.benchmarks.cpu;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.kernel.cpu.CpuKernels;
import org.dl4jsr.kernel.reference.Parallel;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;
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
 * read and written). The arrays lie one after another with some pages between. With arrays of 2^27 bytes a page apart,
 * as the C library puts them, AdamW is slower by a fifth and more on Zen 4, because all four then share one way of the
 * first-level cache, which Zen predicts from a hash of the address; ND4J's arrays do not lie like that under our backend.
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

    /** Bytes between two arrays, not a multiple of a power of two above a page. */
    private static final long GAP = 3 * 4096 + 5 * 64;

    /** A level of {@link CpuKernels#LEVEL_PROPERTY}; empty for the best. */
    @Param("")
    public String level;

    private Kernels kernels;
    private BytePointer memory;
    private BytePointer floats;
    private BytePointer floatState;
    private long weights;
    private long gradient;
    private long m;
    private long v;
    private int step;

    @Setup
    public void allocate() {
        kernels = CpuKernels.ofLevel(level.isEmpty() ? null : level, 0).kernels();
        floats = new BytePointer(4L * LENGTH);
        floatState = new BytePointer(8L * LENGTH);
        long distance = 2L * LENGTH + GAP;
        memory = new BytePointer(4 * distance);
        Pointer.memset(memory, 0, memory.capacity());
        weights = memory.address();
        gradient = weights + distance;
        m = gradient + distance;
        v = m + distance;
        Pointer.memset(floatState, 0, 8L * LENGTH);
        var random = new Random(1);
        for (long i = 0; i < LENGTH; i++) {
            Memory.putFloat(floats.address() + 4 * i, random.nextFloat() - 0.5f);
        }
        kernels.toBFloat16(floats.address(), weights, LENGTH);
        kernels.toBFloat16(floats.address(), gradient, LENGTH);
    }

    @Benchmark
    public void adamW() {
        adamW(WeightWrite.STOCHASTIC, StateRounding.STOCHASTIC, null);
    }

    @Benchmark
    public StepStatistics adamWWithStatistics() {
        var statistics = new StepStatistics();
        adamW(WeightWrite.STOCHASTIC, StateRounding.STOCHASTIC, statistics);
        return statistics;
    }

    /** Weights and moments to nearest, as PyTorch has them. */
    @Benchmark
    public void adamWNearest() {
        adamW(WeightWrite.NEAREST, StateRounding.NEAREST, null);
    }

    @Benchmark
    public void adamWMaster() {
        kernels.step(
                step(WeightWrite.MASTER, StateRounding.STOCHASTIC),
                new OptimizerArrays(
                        FloatType.BFLOAT16,
                        weights,
                        gradient,
                        new long[] {floatState.address(), floatState.address() + 4L * LENGTH},
                        floats.address(),
                        LENGTH,
                        0),
                null);
    }

    private void adamW(WeightWrite write, StateRounding stateRounding, StepStatistics statistics) {
        kernels.step(
                step(write, stateRounding),
                new OptimizerArrays(FloatType.BFLOAT16, weights, gradient, new long[] {m, v}, 0, LENGTH, 0),
                statistics);
    }

    private OptimizerStep step(WeightWrite write, StateRounding stateRounding) {
        AdamW adamW = AdamW.of(0.9, 0.95, 1e-8, step);
        return new OptimizerStep(adamW, 1e-4f, 0.1f, 1, write, stateRounding, 1, step++);
    }

    @Benchmark
    public void toBFloat16() {
        kernels.toBFloat16(floats.address(), gradient, LENGTH);
    }

    @Benchmark
    public void toFloat() {
        kernels.toFloat(gradient, floats.address(), LENGTH);
    }

    @Benchmark
    public void stochasticRound() {
        kernels.stochasticRound(floats.address(), gradient, LENGTH, 1, step++, 0);
    }

    @Benchmark
    public double sumOfSquares() {
        return kernels.sumOfSquares(FloatType.BFLOAT16, gradient, LENGTH);
    }

    /** A copy of BF16, on as many threads as there are processors. */
    @Benchmark
    public void copy() {
        int threads = Runtime.getRuntime().availableProcessors();
        Parallel.loop(threads, threads, piece -> {
            long start = LENGTH * piece / threads;
            long end = LENGTH * (piece + 1) / threads;
            Memory.copy(gradient + 2 * start, m + 2 * start, 2 * (end - start));
        });
    }
}
