package org.dl4jsr.kernel.reference;

import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.rounding.BlockSum;
import org.dl4jsr.rounding.StochasticRounding;
import org.dl4jsr.rounding.WeightWrite;

/** One {@link OptimizerStep} of {@link JavaKernels}, whatever the formula: loads, {@link WeightWrite} and statistics. */
final class JavaOptimizer {

    private final OptimizerStep step;
    private final OptimizerArrays arrays;
    private final boolean floatState;
    private final boolean master;

    JavaOptimizer(OptimizerStep step, OptimizerArrays arrays) {
        this.step = step;
        this.arrays = arrays;
        master = arrays.type() == FloatType.BFLOAT16 && step.weightWrite().hasFp32State();
        floatState = arrays.type() == FloatType.FLOAT || master;
    }

    /** Steps the elements from {@code start} to {@code end} of the range, one block of {@link BlockSum} at most. */
    StepStatistics run(long start, long end) {
        var words = new RandomBits(step.seed(), step.step(), StochasticRounding.WEIGHT_STREAM);
        var momentWords = new RandomBits(step.seed(), step.step(), StochasticRounding.MOMENT_STREAM);
        var squaredUpdate = new BlockSum();
        var squaredWeight = new BlockSum();
        var squaredGradient = new BlockSum();
        var statistics = new StepStatistics();
        statistics.weights = end - start;
        float[] moments = new float[arrays.moments().length];
        for (long i = start; i < end; i++) {
            float g = load(arrays.type() == FloatType.FLOAT, arrays.gradient(), i) * step.gradientScale();
            for (int j = 0; j < moments.length; j++) {
                moments[j] = load(floatState, arrays.moments()[j], i);
            }
            float p = master ? masterWeight(i) : load(floatState, arrays.weights(), i);
            float u = step.optimizer().direction(g, moments) + step.weightDecay() * p;
            float update = step.learningRate() * u;
            float updated = p - update;

            boolean moved;
            boolean lost;
            if (floatState) {
                int stored = Float.floatToIntBits(updated);
                lost = stored == Float.floatToRawIntBits(p);
                moved = !lost;
                Memory.putInt((master ? arrays.extra() : arrays.weights()) + 4 * i, stored);
                if (master) {
                    Memory.putShort(arrays.weights() + 2 * i, BFloat16.fromFloat(updated));
                }
                for (int j = 0; j < moments.length; j++) {
                    Memory.putInt(arrays.moments()[j] + 4 * i, Float.floatToIntBits(moments[j]));
                }
            } else {
                long element = arrays.element() + i;
                int bits = words.get(element);
                short old = Memory.getShort(arrays.weights() + 2 * i);
                short stored = writeWeight(i, p, update, updated, bits);
                lost = BFloat16.fromFloat(updated) == old;
                moved = stored != old;
                Memory.putShort(arrays.weights() + 2 * i, stored);
                for (int j = 0; j < moments.length; j++) {
                    int momentBits = j == moments.length - 1
                            ? bits >>> 16
                            : momentWords.get(element >>> 1) >>> 16 * (element & 1);
                    Memory.putShort(
                            arrays.moments()[j] + 2 * i,
                            step.hasStochasticState()
                                    ? StochasticRounding.round(moments[j], momentBits)
                                    : BFloat16.fromFloat(moments[j]));
                }
            }
            statistics.stagnant += lost && update != 0 ? 1 : 0;
            statistics.moved += moved ? 1 : 0;
            int index = (int) (i - start);
            squaredUpdate.add(index, (double) update * update);
            squaredWeight.add(index, (double) p * p);
            squaredGradient.add(index, (double) g * g);
        }
        statistics.squaredUpdate = squaredUpdate.sum();
        statistics.squaredWeight = squaredWeight.sum();
        statistics.squaredGradient = squaredGradient.sum();
        return statistics;
    }

    /** The weight stands in for a master that does not round to it: the state is fresh, or somebody set the weight. */
    private float masterWeight(long i) {
        float kept = load(true, arrays.extra(), i);
        short weight = Memory.getShort(arrays.weights() + 2 * i);
        return BFloat16.fromFloat(kept) == weight ? kept : BFloat16.toFloat(weight);
    }

    /** The new BF16 weight; under KAHAN also writes the compensation. */
    private short writeWeight(long i, float p, float update, float updated, int bits) {
        return switch (step.weightWrite()) {
            case STOCHASTIC -> StochasticRounding.round(updated, bits);
            case NEAREST -> BFloat16.fromFloat(updated);
            case KAHAN -> {
                float d = load(false, arrays.extra(), i) - update;
                short stored = BFloat16.fromFloat(p + d);
                float lost = d - (BFloat16.toFloat(stored) - p);
                Memory.putShort(arrays.extra() + 2 * i, BFloat16.fromFloat(lost));
                yield stored;
            }
            case MASTER -> throw new IllegalStateException("a master weight is FP32");
        };
    }

    private static float load(boolean fp32, long array, long i) {
        return fp32 ? Memory.getFloat(array + 4 * i) : BFloat16.toFloat(Memory.getShort(array + 2 * i));
    }
}
