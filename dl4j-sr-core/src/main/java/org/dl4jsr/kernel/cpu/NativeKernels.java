package org.dl4jsr.kernel.cpu;

import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;

/** Casts, sums and optimizers in C++ (src/main/cpp), for the best instruction set of this processor or a lower one. */
@Properties(inherit = NativeLibrary.class, value = @Platform(library = "jniNativeLibrary"))
@Namespace("dl4jsr")
final class NativeKernels implements Kernels {

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
        toBFloat16(set, threads, source, target, length);
    }

    private static native void toBFloat16(int set, int threads, long source, long target, long length);

    @Override
    public void toFloat(long source, long target, long length) {
        toFloat(set, threads, source, target, length);
    }

    private static native void toFloat(int set, int threads, long source, long target, long length);

    @Override
    public void transpose(FloatType type, long x, long y, int rows, int columns) {
        transpose(set, threads, type.ordinal(), x, y, rows, columns);
    }

    private static native void transpose(int set, int threads, int type, long x, long y, int rows, int columns);

    @Override
    public void accumulate(FloatType type, long x, float factor, boolean first, long sums, long length) {
        accumulate(set, threads, type.ordinal(), x, factor, first, sums, length);
    }

    private static native void accumulate(
            int set, int threads, int type, long x, float factor, boolean first, long sums, long length);

    @Override
    public void mean(long sums, int count, FloatType type, long mean, long length) {
        mean(set, threads, sums, count, type.ordinal(), mean, length);
    }

    private static native void mean(int set, int threads, long sums, int count, int type, long mean, long length);

    @Override
    public void stochasticRound(long source, long target, long length, long seed, int step, long element) {
        stochasticRound(set, threads, source, target, length, seed, step, element);
    }

    private static native void stochasticRound(
            int set, int threads, long source, long target, long length, long seed, int step, long element);

    @Override
    public void stochasticSubtract(
            long weights, FloatType updateType, long update, long length, long seed, int step, long element) {
        stochasticSubtract(set, threads, weights, updateType.ordinal(), update, length, seed, step, element);
    }

    private static native void stochasticSubtract(
            int set,
            int threads,
            long weights,
            int updateType,
            long update,
            long length,
            long seed,
            int step,
            long element);

    @Override
    public double sumOfSquares(FloatType type, long values, long length) {
        return sumOfSquares(set, threads, type.ordinal(), values, length);
    }

    private static native double sumOfSquares(int set, int threads, int type, long values, long length);

    @Override
    public void step(OptimizerStep step, OptimizerArrays arrays, StepStatistics statistics) {
        long[] counts = statistics == null ? null : new long[2];
        double[] squares = statistics == null ? null : new double[3];
        float[] scalars = step.scalars();
        step(
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

    /** Throws RuntimeException for a kernel that there is not. */
    private static native void step(
            int set,
            int threads,
            String kernel,
            @Cast("const int64_t*") long[] arrays,
            float[] scalars,
            int scalarCount,
            boolean stochasticState,
            long seed,
            int step,
            @Cast("int64_t*") long[] counts,
            double[] squares);
}
