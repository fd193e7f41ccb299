package org.dl4jsr.kernel.cpu;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.reference.TestArray;
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

    private Kernels kernels;
    private int batch;
    private int time;
    private int heads;
    private int headWidth;
    private int rows;
    private int width;
    private TestArray qkv;
    private TestArray dQkv;
    private TestArray out;
    private TestArray dOut;
    private TestArray wide;
    private TestArray dWide;
    private TestArray gain;
    private TestArray tokenTable;
    private TestArray positionTable;
    private TestArray sums;
    private TestArray logits;
    private TestArray dLogits;
    private TestArray targets;
    private TestArray logSumExp;
    private TestArray mean;
    private TestArray rstd;
    private TestArray losses;

    @Setup
    public void allocate() {
        String[] sizes = shape.split("x");
        batch = Integer.parseInt(sizes[0]);
        time = Integer.parseInt(sizes[1]);
        heads = Integer.parseInt(sizes[2]);
        headWidth = Integer.parseInt(sizes[3]);
        rows = batch * time;
        width = heads * headWidth;
        kernels = CpuKernels.ofLevel(level.isEmpty() ? null : level, 0).kernels();
        var random = new Random(1);
        qkv = TestArray.random(type, 3 * rows * width, random);
        dQkv = TestArray.empty(type, 3 * rows * width);
        out = TestArray.random(type, rows * width, random);
        dOut = TestArray.random(type, rows * width, random);
        wide = TestArray.random(type, HIDDEN * rows * width, random);
        dWide = TestArray.random(type, HIDDEN * rows * width, random);
        gain = TestArray.random(type, width, random);
        tokenTable = TestArray.random(type, VOCABULARY * width, random);
        positionTable = TestArray.random(type, time * width, random);
        sums = TestArray.empty(type, HIDDEN * width);
        logits = TestArray.random(type, rows * VOCABULARY, random);
        dLogits = TestArray.empty(type, rows * VOCABULARY);
        targets = TestArray.ofInts(random.ints(rows, 0, VOCABULARY).toArray());
        logSumExp = TestArray.empty(FloatType.FLOAT, rows * heads);
        mean = TestArray.empty(FloatType.FLOAT, rows);
        rstd = TestArray.empty(FloatType.FLOAT, rows);
        losses = TestArray.empty(FloatType.FLOAT, rows);
        attentionForward();
        layerNormForward();
    }

    @Benchmark
    public void attentionForward() {
        kernels.attentionForward(
                type, qkv.address(), out.address(), logSumExp.address(), batch, time, heads, headWidth);
    }

    @Benchmark
    public void attentionBackward() {
        kernels.attentionBackward(
                type,
                qkv.address(),
                out.address(),
                logSumExp.address(),
                dOut.address(),
                dQkv.address(),
                batch,
                time,
                heads,
                headWidth);
    }

    @Benchmark
    public void layerNormForward() {
        kernels.layerNormForward(
                type,
                wide.address(),
                gain.address(),
                gain.address(),
                dWide.address(),
                mean.address(),
                rstd.address(),
                rows,
                width,
                1e-5f);
    }

    @Benchmark
    public void layerNormBackward() {
        kernels.layerNormBackward(
                type,
                wide.address(),
                gain.address(),
                mean.address(),
                rstd.address(),
                dOut.address(),
                0,
                dWide.address(),
                sums.address(),
                sums.address(),
                rows,
                width);
    }

    @Benchmark
    public void geluForward() {
        kernels.geluForward(type, wide.address(), dWide.address(), wide.length());
    }

    @Benchmark
    public void geluBackward() {
        kernels.geluBackward(
                type, wide.address(), wide.address(), dWide.address(), sums.address(), rows, HIDDEN * width);
    }

    @Benchmark
    public void biasGradient() {
        kernels.biasGradient(type, wide.address(), sums.address(), rows, HIDDEN * width);
    }

    @Benchmark
    public void embeddingForward() {
        kernels.embeddingForward(
                type,
                targets.address(),
                tokenTable.address(),
                positionTable.address(),
                out.address(),
                batch,
                time,
                width);
    }

    @Benchmark
    public void embeddingBackward() {
        kernels.embeddingBackward(
                type,
                targets.address(),
                dOut.address(),
                tokenTable.address(),
                positionTable.address(),
                batch,
                time,
                width,
                VOCABULARY,
                false);
    }

    @Benchmark
    public void crossEntropy() {
        kernels.crossEntropy(
                type,
                logits.address(),
                targets.address(),
                losses.address(),
                dLogits.address(),
                rows,
                VOCABULARY,
                1f / rows);
    }

    @Benchmark
    public void transpose() {
        kernels.transpose(type, wide.address(), dWide.address(), rows, HIDDEN * width);
    }
}
