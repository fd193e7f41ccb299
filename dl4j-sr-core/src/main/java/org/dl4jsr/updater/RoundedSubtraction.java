package org.dl4jsr.updater;

import org.dl4jsr.backend.StochasticAverages;
import org.dl4jsr.kernel.AdamWStatistics;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The subtraction of a {@link StochasticallyRounded} update, rounded stochastically. */
record RoundedSubtraction(INDArray values, long seed, int iteration) implements RangeUpdate {

    @Override
    public void write(FlatArrays arrays, long start, long end, double clipScale, AdamWStatistics statistics) {
        INDArray before =
                statistics == null ? null : arrays.parameters(start, end).castTo(DataType.FLOAT);
        arrays.device()
                .kernels()
                .stochasticSubtract(
                        arrays.parameterAddress(start),
                        arrays.type(),
                        arrays.gradientAddress(start),
                        end - start,
                        seed,
                        iteration,
                        start);
        if (statistics != null) {
            statistics.squaredUpdate += arrays.squaredGradient(start, end);
            count(statistics, before, arrays.gradient(start, end), arrays.parameters(start, end));
        }
    }

    private static void count(AdamWStatistics statistics, INDArray before, INDArray update, INDArray after) {
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

    @Override
    public void markForAverages(INDArray parameters) {
        StochasticAverages.mark(parameters, seed, iteration, Elements.PARAMETER_AVERAGE);
    }
}
