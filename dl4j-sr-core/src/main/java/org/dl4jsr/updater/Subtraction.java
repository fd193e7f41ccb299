package org.dl4jsr.updater;

import org.dl4jsr.backend.ExactSums;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.rounding.WeightWrite;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The subtraction of an update that has taken the gradient's place: of a {@link StochasticallyRounded}, of another
 * updater beside ours, or of the statistics that a layer delivers as if they were gradients (batch normalization's
 * running mean and variance, centers of CenterLossOutputLayer).
 *
 * @param values the update
 * @param weightWrite STOCHASTIC or NEAREST
 * @param seed key of the random bits
 * @param counted whether rounding statistics count it
 */
record Subtraction(INDArray values, WeightWrite weightWrite, long seed, boolean counted) implements RangeUpdate {

    @Override
    public RangeUpdate part(INDArray part, long start, ShardedState state) {
        return new Subtraction(part, weightWrite, seed, counted);
    }

    @Override
    public void write(
            FlatArrays arrays, long start, long end, double clipScale, RandomKey random, StepStatistics statistics) {
        boolean count = counted && statistics != null;
        INDArray before = count ? arrays.parameters(start, end).castTo(DataType.FLOAT) : null;
        INDArray update = arrays.gradient(start, end);
        if (weightWrite.isStochastic() && arrays.type() == FloatType.BFLOAT16) {
            subtract(arrays, start, end, update, random);
        } else {
            arrays.parameters(start, end).subi(update);
        }
        if (count) {
            statistics.squaredUpdate += arrays.squaredGradient(start, end);
            count(statistics, before, update, arrays.parameters(start, end));
        }
    }

    private void subtract(FlatArrays arrays, long start, long end, INDArray update, RandomKey random) {
        Kernels kernels = arrays.device().kernels();
        long weights = arrays.parameterAddress(start);
        long key = random.key(seed);
        try (INDArray exact = ExactSums.of(arrays.device(), update)) {
            FloatType type = exact == null ? FloatType.BFLOAT16 : FloatType.FLOAT;
            long address = exact == null
                    ? arrays.gradientAddress(start)
                    : arrays.device().address(exact);
            kernels.stochasticSubtract(weights, type, address, end - start, key, random.iteration(), start);
        }
    }

    private static void count(StepStatistics statistics, INDArray before, INDArray update, INDArray after) {
        INDArray nearest = before.sub(update.castTo(DataType.FLOAT)).castTo(DataType.BFLOAT16);
        statistics.weights += after.length();
        statistics.moved += count(before.neq(after.castTo(DataType.FLOAT)));
        statistics.stagnant += after.length() - count(before.neq(nearest.castTo(DataType.FLOAT))) - count(update.eq(0));
        statistics.squaredWeight += Math.pow(before.norm2Number().doubleValue(), 2);
        statistics.squaredGradient = Double.NaN; // the update has taken the gradient's place
    }

    private static long count(INDArray condition) {
        return condition.castTo(DataType.INT64).sumNumber().longValue();
    }
}
