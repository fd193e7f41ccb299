package org.dl4jsr.kernel;

import java.util.Arrays;
import org.dl4jsr.rounding.BlockSum;

/**
 * The kernels of a step, over raw memory: casts, sums, stochastic rounding, the optimizers; all give the same bits in
 * every implementation and at every thread count. Arguments named like arrays are addresses of their first element;
 * matrices are dense and row-major, shapes in brackets. The caller checks bounds: a kernel trusts its arguments.
 */
public interface Kernels {

    /** What runs, for logs: implementation, instruction set, threads. */
    String description();

    /** FP32 to BF16, round to nearest even. */
    void toBFloat16(long source, long target, long length);

    /** BF16 to FP32, exact. */
    void toFloat(long source, long target, long length);

    /** The values of the other type as {@code type}: {@link #toBFloat16} or {@link #toFloat}. */
    default void cast(FloatType type, long source, long target, long length) {
        if (type == FloatType.BFLOAT16) {
            toBFloat16(source, target, length);
        } else {
            toFloat(source, target, length);
        }
    }

    /** y [columns, rows] = x [rows, columns] transposed. */
    void transpose(FloatType type, long x, long y, int rows, int columns);

    /** FP32 sums += factor * x, an array of {@code type}; sums = factor * x where {@code first}. */
    void accumulate(FloatType type, long x, float factor, boolean first, long sums, long length);

    /** mean = FP32 sums / count, an array of {@code type}, rounded to nearest even. */
    void mean(long sums, int count, FloatType type, long mean, long length);

    /** FP32 to BF16 with stochastic rounding; element i takes the random bits of {@code element + i}. */
    void stochasticRound(long source, long target, long length, long seed, int step, long element);

    /** BF16 weights -= update (of {@code updateType}), written with stochastic rounding. */
    void stochasticSubtract(
            long weights, FloatType updateType, long update, long length, long seed, int step, long element);

    /**
     * The sum of squares of {@code length} values. Not finite exactly when some value is not finite. The order of
     * summation is fixed (see {@link BlockSum}), so the result does not depend on threads.
     */
    double sumOfSquares(FloatType type, long values, long length);

    /** {@link #sumOfSquares} of several arrays [lengths[i]] at values[i]; a GPU is waited for once. */
    default double[] sumsOfSquares(FloatType type, long[] values, long[] lengths) {
        var sums = new double[values.length];
        Arrays.setAll(sums, i -> sumOfSquares(type, values[i], lengths[i]));
        return sums;
    }

    /**
     * One step of an optimizer over one range.
     *
     * @param statistics is added to, or null where nobody asks
     * @throws RuntimeException for an optimizer that these kernels do not know
     */
    void step(OptimizerStep step, OptimizerArrays arrays, StepStatistics statistics);
}
