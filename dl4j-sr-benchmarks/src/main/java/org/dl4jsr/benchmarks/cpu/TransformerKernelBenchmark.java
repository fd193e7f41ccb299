package org.dl4jsr.benchmarks.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.dl4jsr.benchmarks.contract.Content;
import org.dl4jsr.benchmarks.contract.HostProcessor;
import org.dl4jsr.benchmarks.contract.Processor;
import org.dl4jsr.benchmarks.contract.Processor.Placed;
import org.dl4jsr.benchmarks.contract.RandomArrays;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.TransformerKernels;
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
 * The transformer's kernels at the shapes of a small and a tiny GPT with 256 tokens, in milliseconds a call. Causal
 * attention takes 2 * batch * heads * time * (time + 1) * headWidth floating-point operations forward and 2.5 times
 * that backward. Run it as {@link KernelBenchmark}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class TransformerKernelBenchmark {

    private static final int VOCABULARY = 256;
    private static final int HIDDEN = 4;

    /** batch x time x heads x headWidth */
    @Param({"8x256x6x64", "16x128x4x32"})
    public String shape;

    @Param("BFLOAT16")
    public FloatType type;

    /** A level of {@link CpuKernels#LEVEL_PROPERTY}; empty for the best. */
    @Param("")
    public String level;

    private final Processor memory = HostProcessor.reference(1);
    private final List<Placed> placed = new ArrayList<>();
    private RandomArrays arrays;
    private KernelSet set;
    private TransformerKernels kernels;
    private int batch;
    private int time;
    private int heads;
    private int headWidth;
    private int rows;
    private int width;
    private long qkv;
    private long dQkv;
    private long out;
    private long dOut;
    private long wide;
    private long dWide;
    private long gain;
    private long tokenTable;
    private long positionTable;
    private long sums;
    private long logits;
    private long dLogits;
    private long targets;
    private long logSumExp;
    private long mean;
    private long rstd;
    private long losses;

    @Setup
    public void allocate() {
        int[] sizes = Pattern.compile("x")
                .splitAsStream(shape)
                .mapToInt(Integer::parseInt)
                .toArray();
        batch = sizes[0];
        time = sizes[1];
        heads = sizes[2];
        headWidth = sizes[3];
        rows = batch * time;
        width = heads * headWidth;
        set = CpuKernels.ofLevel(level.isEmpty() ? null : level, 0);
        kernels = set.transformer();
        var random = new Random(1);
        arrays = new RandomArrays(random);
        qkv = normal(type, 3 * rows * width);
        dQkv = normal(type, 3 * rows * width);
        out = normal(type, rows * width);
        dOut = normal(type, rows * width);
        wide = normal(type, HIDDEN * rows * width);
        dWide = normal(type, HIDDEN * rows * width);
        gain = normal(type, width);
        tokenTable = normal(type, VOCABULARY * width);
        positionTable = normal(type, time * width);
        sums = normal(type, HIDDEN * width);
        logits = normal(type, rows * VOCABULARY);
        dLogits = normal(type, rows * VOCABULARY);
        targets = place(arrays.ints(rows, () -> random.nextInt(VOCABULARY)));
        logSumExp = normal(FloatType.FLOAT, rows * heads);
        mean = normal(FloatType.FLOAT, rows);
        rstd = normal(FloatType.FLOAT, rows);
        losses = normal(FloatType.FLOAT, rows);
        attentionForward();
        layerNormForward();
    }

    @TearDown
    public void free() {
        placed.forEach(Placed::close);
        placed.clear();
    }

    private long normal(FloatType arrayType, int length) {
        return place(arrays.normal(arrayType, length));
    }

    private long place(Content content) {
        placed.add(memory.place(content.bytes()));
        return placed.get(placed.size() - 1).address();
    }

    @Benchmark
    public void attentionForward() {
        kernels.attentionForward(type, qkv, out, logSumExp, batch, time, heads, headWidth);
    }

    @Benchmark
    public void attentionBackward() {
        kernels.attentionBackward(type, qkv, out, logSumExp, dOut, dQkv, batch, time, heads, headWidth);
    }

    @Benchmark
    public void layerNormForward() {
        kernels.layerNormForward(type, wide, gain, gain, dWide, mean, rstd, rows, width, 1e-5f);
    }

    @Benchmark
    public void layerNormBackward() {
        kernels.layerNormBackward(type, wide, gain, mean, rstd, dOut, 0, dWide, sums, sums, rows, width);
    }

    @Benchmark
    public void geluForward() {
        kernels.activationForward(Activation.GELU, type, wide, dWide, (long) HIDDEN * rows * width);
    }

    @Benchmark
    public void geluBackward() {
        kernels.activationBackward(Activation.GELU, type, wide, wide, 0, dWide, sums, rows, HIDDEN * width);
    }

    @Benchmark
    public void biasGradient() {
        kernels.biasGradient(type, wide, sums, rows, HIDDEN * width);
    }

    @Benchmark
    public void embeddingForward() {
        kernels.embeddingForward(type, targets, tokenTable, positionTable, out, batch, time, width);
    }

    @Benchmark
    public void embeddingBackward() {
        kernels.embeddingBackward(
                type, targets, dOut, tokenTable, positionTable, batch, time, width, VOCABULARY, false);
    }

    @Benchmark
    public void crossEntropy() {
        kernels.crossEntropy(type, logits, targets, losses, dLogits, rows, VOCABULARY, 1f / rows);
    }

    @Benchmark
    public void transpose() {
        set.kernels().transpose(type, wide, dWide, rows, HIDDEN * width);
    }
}
