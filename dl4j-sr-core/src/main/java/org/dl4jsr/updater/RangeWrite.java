package org.dl4jsr.updater;

import org.dl4jsr.backend.StochasticAverages;
import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.op.SrAdamStep;
import org.dl4jsr.op.SrSubtract;
import org.dl4jsr.op.SumOfSquares;
import org.dl4jsr.rounding.WeightWrite;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** What happens to one range of the flattened parameters when DL4J subtracts the gradient. */
sealed interface RangeWrite {

    /** The range of the gradient, or of the update that has taken its place. */
    INDArray values();

    /** First element in the gradient's buffer. */
    default long start() {
        return values().offset();
    }

    default long end() {
        return start() + values().length();
    }

    default String range() {
        return start() + ".." + (end() - 1);
    }

    /** @throws IllegalStateException if the state that the write needs is damaged */
    default void check() {}

    /**
     * Writes the part of the range that begins at its element {@code from}.
     *
     * @param weights the parameters of that part
     * @param element index of the first of them in the flattened parameters
     * @param clipScale factor of the gradients
     * @param statistics is added to, or null
     */
    void write(INDArray weights, long element, long from, double clipScale, StepStatistics statistics);

    /** Marks what was rounded stochastically, to be rounded so again where replicas are averaged. */
    default void markForAverages(INDArray parameters) {}

    private static INDArray part(INDArray values, long from, long length) {
        return values.get(NDArrayIndex.interval(from, from + length));
    }

    /** A step of {@link SrAdam}; the values are the gradient. */
    record Step(INDArray values, INDArray state, SrAdam config, double learningRate, int iteration)
            implements RangeWrite {

        @Override
        public void check() {
            layout();
        }

        private SrAdamState layout() {
            return new SrAdamState(state, config.getWeightWrite(), values.length());
        }

        @Override
        public void write(INDArray weights, long element, long from, double clipScale, StepStatistics statistics) {
            OptimizerStep scalars = AdamW.step(
                    learningRate,
                    config.getBeta1(),
                    config.getBeta2(),
                    config.getEpsilon(),
                    config.getWeightDecay(),
                    clipScale,
                    config.getWeightWrite(),
                    config.getStateRounding(),
                    config.getSeed(),
                    iteration);
            SrAdamState layout = layout();
            long to = from + weights.length();
            Nd4j.exec(new SrAdamStep(
                    scalars,
                    element,
                    weights,
                    part(values, from, weights.length()),
                    layout.m(from, to),
                    layout.v(from, to),
                    layout.extra(from, to),
                    statistics));
        }

        @Override
        public void markForAverages(INDArray parameters) {
            if (config.getWeightWrite() == WeightWrite.STOCHASTIC) {
                StochasticAverages.mark(parameters, config.getSeed(), iteration, Elements.PARAMETER_AVERAGE);
                StochasticAverages.mark(state, config.getSeed(), iteration, Elements.STATE_AVERAGE);
            }
        }
    }

    /** The subtraction of a {@link StochasticallyRounded} update, rounded stochastically. */
    record RoundedSubtraction(INDArray values, long seed, int iteration) implements RangeWrite {

        @Override
        public void write(INDArray weights, long element, long from, double clipScale, StepStatistics statistics) {
            INDArray update = part(values, from, weights.length());
            INDArray before = statistics == null ? null : weights.castTo(DataType.FLOAT);
            Nd4j.exec(new SrSubtract(weights, update, seed, iteration, element));
            if (statistics != null) {
                count(statistics, before, update, weights);
            }
        }

        private static void count(StepStatistics statistics, INDArray before, INDArray update, INDArray after) {
            INDArray nearest = before.sub(update.castTo(DataType.FLOAT)).castTo(DataType.BFLOAT16);
            statistics.weights += after.length();
            statistics.moved += count(before.neq(after.castTo(DataType.FLOAT)));
            statistics.stagnant +=
                    after.length() - count(before.neq(nearest.castTo(DataType.FLOAT))) - count(update.eq(0));
            statistics.squaredUpdate += SumOfSquares.of(update);
            statistics.squaredWeight += SumOfSquares.of(before);
            statistics.squaredGradient = Double.NaN; // the update has taken the gradient's place
        }

        private static long count(INDArray condition) {
            return condition.castTo(DataType.LONG).sumNumber().longValue();
        }

        @Override
        public void markForAverages(INDArray parameters) {
            StochasticAverages.mark(parameters, seed, iteration, Elements.PARAMETER_AVERAGE);
        }
    }

    /** The subtraction of another updater's update, as DL4J does it. */
    record PlainSubtraction(INDArray values) implements RangeWrite {

        @Override
        public void write(INDArray weights, long element, long from, double clipScale, StepStatistics statistics) {
            weights.subi(part(values, from, weights.length()));
        }
    }
}
