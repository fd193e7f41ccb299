package org.dl4jsr.kernel.cpu;

import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;

/** The kernels in C++ (src/main/cpp), for the best instruction set of this processor or a lower one. */
public final class NativeKernels implements Kernels {

    private final InstructionSet instructionSet;
    private final int set;
    private final int threads;

    /**
     * Kernels for {@code instructionSet}, which this processor must have, on so many threads, 1 or more; where there is
     * no native library, a LinkageError.
     */
    NativeKernels(InstructionSet instructionSet, int threads) {
        if (instructionSet.compareTo(InstructionSet.best()) < 0) {
            throw new IllegalArgumentException("This processor has no " + instructionSet.label()
                    + " instructions, its best set is " + InstructionSet.best().label());
        }
        if (threads < 1) {
            throw new IllegalArgumentException("threads is " + threads + ", expected 1 or more");
        }
        this.instructionSet = instructionSet;
        this.threads = threads;
        set = instructionSet.ordinal();
    }

    InstructionSet instructionSet() {
        return instructionSet;
    }

    int threads() {
        return threads;
    }

    @Override
    public String description() {
        return "native " + instructionSet.label() + ", " + threads + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public void toBFloat16(long source, long target, long length) {
        NativeLibrary.toBFloat16(set, threads, source, target, length);
    }

    @Override
    public void toFloat(long source, long target, long length) {
        NativeLibrary.toFloat(set, threads, source, target, length);
    }

    @Override
    public void accumulate(FloatType type, long x, boolean first, long sums, long length) {
        NativeLibrary.accumulate(set, threads, type.ordinal(), x, first, sums, length);
    }

    @Override
    public void mean(long sums, int count, FloatType type, long mean, long length) {
        NativeLibrary.mean(set, threads, sums, count, type.ordinal(), mean, length);
    }

    @Override
    public void stochasticRound(long source, long target, long length, long seed, int step, long element) {
        NativeLibrary.stochasticRound(set, threads, source, target, length, seed, step, element);
    }

    @Override
    public void stochasticSubtract(
            long weights, FloatType updateType, long update, long length, long seed, int step, long element) {
        NativeLibrary.stochasticSubtract(
                set, threads, weights, updateType.ordinal(), update, length, seed, step, element);
    }

    @Override
    public double sumOfSquares(FloatType type, long values, long length) {
        return NativeLibrary.sumOfSquares(set, threads, type.ordinal(), values, length);
    }

    @Override
    public void step(OptimizerStep step, OptimizerArrays arrays, StepStatistics statistics) {
        long[] counts = statistics == null ? null : new long[2];
        double[] squares = statistics == null ? null : new double[3];
        float[] scalars = step.scalars();
        NativeLibrary.step(
                set,
                threads,
                step.kernel(arrays.type()),
                arrays.toArray(),
                scalars,
                scalars.length,
                step.hasStochasticState(),
                step.seed(),
                step.step(),
                counts,
                squares);
        if (statistics != null) {
            statistics.weights += arrays.length();
            statistics.stagnant += counts[0];
            statistics.moved += counts[1];
            statistics.squaredUpdate += squares[0];
            statistics.squaredWeight += squares[1];
            statistics.squaredGradient += squares[2];
        }
    }

    @Override
    public void layerNormForward(
            FloatType type,
            long x,
            long gain,
            long bias,
            long y,
            long mean,
            long rstd,
            int rows,
            int width,
            float epsilon) {
        NativeLibrary.layerNormForward(
                set, threads, type.ordinal(), x, gain, bias, y, mean, rstd, rows, width, epsilon);
    }

    @Override
    public void layerNormBackward(
            FloatType type,
            long x,
            long gain,
            long mean,
            long rstd,
            long dy,
            long residual,
            long dx,
            long dGain,
            long dBias,
            int rows,
            int width) {
        NativeLibrary.layerNormBackward(
                set, threads, type.ordinal(), x, gain, mean, rstd, dy, residual, dx, dGain, dBias, rows, width);
    }

    @Override
    public void activationForward(Activation activation, FloatType type, long x, long y, long length) {
        NativeLibrary.activationForward(set, threads, activation.name(), type.ordinal(), x, y, length);
    }

    @Override
    public void activationBackward(
            Activation activation, FloatType type, long x, long dy, long y, long dx, long dBias, int rows, int width) {
        NativeLibrary.activationBackward(
                set, threads, activation.name(), type.ordinal(), x, dy, y, dx, dBias, rows, width);
    }

    @Override
    public void biasGradient(FloatType type, long dy, long dBias, int rows, int width) {
        NativeLibrary.biasGradient(set, threads, type.ordinal(), dy, dBias, rows, width);
    }

    @Override
    public void attentionForward(
            FloatType type, long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        NativeLibrary.attentionForward(
                set, threads, type.ordinal(), qkv, out, logSumExp, batch, time, heads, headWidth);
    }

    @Override
    public void attentionBackward(
            FloatType type,
            long qkv,
            long out,
            long logSumExp,
            long dOut,
            long dQkv,
            int batch,
            int time,
            int heads,
            int headWidth) {
        NativeLibrary.attentionBackward(
                set, threads, type.ordinal(), qkv, out, logSumExp, dOut, dQkv, batch, time, heads, headWidth);
    }

    @Override
    public void embeddingForward(
            FloatType type, long tokens, long tokenTable, long positionTable, long y, int batch, int time, int width) {
        NativeLibrary.embeddingForward(
                set, threads, type.ordinal(), tokens, tokenTable, positionTable, y, batch, time, width);
    }

    @Override
    public void embeddingBackward(
            FloatType type,
            long tokens,
            long dy,
            long dTokenTable,
            long dPositionTable,
            int batch,
            int time,
            int width,
            int vocabulary,
            boolean accumulate) {
        NativeLibrary.embeddingBackward(
                set,
                threads,
                type.ordinal(),
                tokens,
                dy,
                dTokenTable,
                dPositionTable,
                batch,
                time,
                width,
                vocabulary,
                accumulate);
    }

    @Override
    public void crossEntropy(
            FloatType type,
            long logits,
            long targets,
            long losses,
            long dLogits,
            int rows,
            int vocabulary,
            float scale) {
        NativeLibrary.crossEntropy(
                set, threads, type.ordinal(), logits, targets, losses, dLogits, rows, vocabulary, scale);
    }

    @Override
    public void transpose(FloatType type, long x, long y, int rows, int columns) {
        NativeLibrary.transpose(set, threads, type.ordinal(), x, y, rows, columns);
    }
}
