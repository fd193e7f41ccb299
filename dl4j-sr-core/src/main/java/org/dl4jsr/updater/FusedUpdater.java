package org.dl4jsr.updater;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.kernel.Optimizer;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * An updater whose whole step, the weight write included, is one pass of the kernels over weights, gradient and state.
 * A subclass has its formula and the formula's settings; all else is here: the layout of the state, clipping of the
 * global gradient norm, the guard against gradients that are not finite, the weight write. Several kinds may train one
 * network.
 *
 * <p>In a FLOAT network the same formula runs with exact writes. DOUBLE and HALF networks are refused.
 *
 * <p>State in elements of the network's type a parameter: the moments; one more with {@link WeightWrite#KAHAN}; under
 * {@link WeightWrite#MASTER}, which keeps FP32 values there, twice the moments and the master weight, and 16 a variable.
 */
public abstract class FusedUpdater implements IUpdater {

    private static final long serialVersionUID = 1;

    private double learningRate;
    private ISchedule learningRateSchedule;
    private final double weightDecay;
    private final WeightWrite weightWrite;
    private final StateRounding stateRounding;
    private final long seed;
    private final double maxGradientNorm;
    private final int maxConsecutiveSkips;

    /** @throws IllegalArgumentException naming the parameter, its value and the valid range */
    protected FusedUpdater(Builder<?> builder) {
        learningRateSchedule = builder.learningRateSchedule;
        learningRate = learningRateSchedule == null ? validRate("learningRate", builder.learningRate) : Double.NaN;
        weightDecay = builder.weightDecay;
        require(
                weightDecay >= 0 && (float) weightDecay <= Float.MAX_VALUE,
                "weightDecay",
                weightDecay,
                "0 (none) or more, such as 0.1");
        weightWrite = Objects.requireNonNull(builder.weightWrite, "weightWrite is null");
        stateRounding = Objects.requireNonNull(builder.stateRounding, "stateRounding is null");
        seed = builder.seed;
        maxGradientNorm = builder.maxGradientNorm;
        require(
                maxGradientNorm >= 0 && maxGradientNorm <= Double.MAX_VALUE,
                "maxGradientNorm",
                maxGradientNorm,
                "0 (no clipping) or a finite norm, such as 1");
        maxConsecutiveSkips = builder.maxConsecutiveSkips;
        require(maxConsecutiveSkips >= 1, "maxConsecutiveSkips", maxConsecutiveSkips, "1 or more");
    }

    private double validRate(String name, double value) {
        require(value >= 0 && (float) value <= Float.MAX_VALUE, name, value, "0 or more and finite, such as 3e-4");
        return value;
    }

    /** @throws IllegalArgumentException naming the setting, unless it is {@code valid} */
    protected final void require(boolean valid, String name, Object value, String range) {
        if (!valid) {
            throw new IllegalArgumentException(name() + "." + name + " is " + value + ", expected " + range);
        }
    }

    /**
     * The decay of a moving average, which has to be in [0, 1) in FP32.
     *
     * @throws IllegalArgumentException naming the setting, its value and the valid range
     */
    protected final double validBeta(String name, double value) {
        require(value >= 0 && (float) value < 1, name, value, "0 or more and below 1 in FP32 (at most 0.9999999)");
        return value;
    }

    /** What messages call it. */
    public final String name() {
        return getClass().getSimpleName();
    }

    /** The formula at DL4J's {@code iteration}, from 0; it keeps as many moments at all of them. */
    protected abstract Optimizer optimizer(int iteration);

    /** How many moments it keeps a parameter. */
    final int moments() {
        return optimizer(0).moments();
    }

    /**
     * The step for the kernels.
     *
     * @param learningRate of this step
     * @param gradientScale factor on the gradient
     * @param key of the random bits
     * @param iteration DL4J's, from 0
     */
    final OptimizerStep step(double learningRate, double gradientScale, long key, int iteration) {
        Optimizer optimizer = optimizer(iteration);
        if (optimizer.moments() != moments()) { // the kernels would write beyond the state
            throw new IllegalStateException(name() + " keeps " + moments() + " moments, but at iteration " + iteration
                    + " its formula " + optimizer.name() + " has " + optimizer.moments()
                    + ": let all its formulas have as many");
        }
        return new OptimizerStep(
                optimizer,
                (float) learningRate,
                (float) weightDecay,
                (float) gradientScale,
                weightWrite,
                stateRounding,
                key,
                iteration);
    }

    /** All settings by name: what {@link #equals}, {@link #hashCode} and {@link #toString} go by. */
    protected Map<String, Object> settings() {
        var settings = new LinkedHashMap<String, Object>();
        settings.put("learningRate", learningRateSchedule == null ? learningRate : learningRateSchedule);
        settings.put("weightDecay", weightDecay);
        settings.put("weightWrite", weightWrite);
        settings.put("stateRounding", stateRounding);
        settings.put("seed", seed);
        settings.put("maxGradientNorm", maxGradientNorm);
        settings.put("maxConsecutiveSkips", maxConsecutiveSkips);
        return settings;
    }

    /** Decoupled weight decay, times the learning rate. */
    public final double getWeightDecay() {
        return weightDecay;
    }

    /** How the new weight reaches BF16. */
    public final WeightWrite getWeightWrite() {
        return weightWrite;
    }

    /** How the state reaches BF16. */
    public final StateRounding getStateRounding() {
        return stateRounding;
    }

    /** Key of the random bits. */
    public final long getSeed() {
        return seed;
    }

    /** Bound of the global gradient norm, 0 for none. */
    public final double getMaxGradientNorm() {
        return maxGradientNorm;
    }

    /** Steps in a row that may be skipped before training stops. */
    public final int getMaxConsecutiveSkips() {
        return maxConsecutiveSkips;
    }

    /** The schedule, or null with a fixed learning rate. */
    public final ISchedule getLearningRateSchedule() {
        return learningRateSchedule;
    }

    @Override
    public final double getLearningRate(int iteration, int epoch) {
        return learningRateSchedule == null
                ? learningRate
                : validRate(
                        "learningRateSchedule's value at iteration " + iteration,
                        learningRateSchedule.valueAt(iteration, epoch));
    }

    @Override
    public final boolean hasLearningRate() {
        return true;
    }

    @Override
    public final void setLrAndSchedule(double lr, ISchedule lrSchedule) {
        learningRate = lrSchedule == null ? validRate("learningRate", lr) : Double.NaN;
        learningRateSchedule = lrSchedule;
    }

    @Override
    public final long stateSize(long numParams) {
        if (ShardedState.isLeftOut()) {
            return 0;
        }
        long size = UpdaterState.size(this, numParams);
        if (size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("One variable of " + numParams + " parameters needs " + size
                    + " elements of updater state under " + weightWrite + ", and DL4J counts them in an int: split the"
                    + " layer, or choose a weightWrite with less state");
        }
        return size;
    }

    @Override
    public final GradientUpdater<FusedUpdater> instantiate(INDArray viewArray, boolean initializeViewArray) {
        Bf16Executioner.requiredBy(name());
        if (viewArray == null) {
            return new FusedGradientUpdater(this, null); // the state is a ShardedState
        }
        DataType type = viewArray.dataType();
        if (type != DataType.BFLOAT16 && type != DataType.FLOAT) {
            throw new IllegalStateException(name() + " in a network of type " + type + ": it trains BFLOAT16 and FLOAT"
                    + " networks; set the configuration's data type to one of them");
        }
        if (type == DataType.FLOAT && weightWrite.hasExtra()) {
            throw new IllegalStateException(name() + " with weightWrite " + weightWrite + " in a FLOAT network, whose"
                    + " weights are written exactly: set the data type to BFLOAT16 or weightWrite to STOCHASTIC");
        }
        if (initializeViewArray) {
            viewArray.assign(0);
        }
        return new FusedGradientUpdater(this, viewArray);
    }

    @Override
    public final GradientUpdater<FusedUpdater> instantiate(
            Map<String, INDArray> updaterState, boolean initializeStateArrays) {
        throw noSameDiff(name());
    }

    /** What says that the updater {@code name} cannot train a SameDiff model. */
    static UnsupportedOperationException noSameDiff(String name) {
        return new UnsupportedOperationException(name + " does not train SameDiff models: it needs the flattened"
                + " parameters of a MultiLayerNetwork or ComputationGraph; use an updater of ND4J's there, or a"
                + " SameDiffLayer in a network");
    }

    /** A builder that starts with this configuration. */
    public abstract Builder<?> toBuilder();

    @Override
    public final FusedUpdater clone() {
        return toBuilder().build();
    }

    /** By settings; but DL4J, which keeps the state of equal updaters in one block, is told that FP32 state is its own. */
    @Override
    public final boolean equals(Object other) {
        return other instanceof FusedUpdater that
                && getClass() == that.getClass()
                && settings().equals(that.settings())
                && !(weightWrite.hasFp32State() && UpdaterState.isAskedForBlocks());
    }

    @Override
    public final int hashCode() {
        return settings().hashCode();
    }

    @Override
    public final String toString() {
        return settings().entrySet().stream()
                .map(Object::toString)
                .collect(Collectors.joining(", ", name() + "(", ")"));
    }

    /**
     * What the builders of all fused updaters set.
     *
     * @param <B> the builder itself
     */
    public abstract static class Builder<B extends Builder<B>> {

        private double learningRate = 1e-3;
        private ISchedule learningRateSchedule;
        private double weightDecay;
        private WeightWrite weightWrite = WeightWrite.STOCHASTIC;
        private StateRounding stateRounding = StateRounding.STOCHASTIC;
        private long seed;
        private double maxGradientNorm;
        private int maxConsecutiveSkips = 10;

        /** This builder, by its own type. */
        protected abstract B self();

        /** @throws IllegalArgumentException naming the setting, its value and the valid range */
        public abstract FusedUpdater build();

        /** Takes over the settings of {@code updater}. */
        public final B from(FusedUpdater updater) {
            learningRate = updater.learningRate;
            learningRateSchedule = updater.learningRateSchedule;
            weightDecay = updater.weightDecay;
            weightWrite = updater.weightWrite;
            stateRounding = updater.stateRounding;
            seed = updater.seed;
            maxGradientNorm = updater.maxGradientNorm;
            maxConsecutiveSkips = updater.maxConsecutiveSkips;
            return self();
        }

        /** The fixed learning rate, 0 or more; default 1e-3; not used where a schedule is set. */
        @JsonProperty
        public B learningRate(double learningRate) {
            this.learningRate = learningRate;
            return self();
        }

        /** The learning rate by iteration and epoch; default null, the fixed one. */
        @JsonProperty
        public B learningRateSchedule(ISchedule learningRateSchedule) {
            this.learningRateSchedule = learningRateSchedule;
            return self();
        }

        /** Decoupled weight decay, 0 or more, times the learning rate; default 0. */
        @JsonProperty
        public B weightDecay(double weightDecay) {
            this.weightDecay = weightDecay;
            return self();
        }

        /** How the new weight reaches BF16; default {@link WeightWrite#STOCHASTIC}; no effect in FLOAT networks. */
        @JsonProperty
        public B weightWrite(WeightWrite weightWrite) {
            this.weightWrite = weightWrite;
            return self();
        }

        /** How the state reaches BF16; default {@link StateRounding#STOCHASTIC}; no effect on FP32 state. */
        @JsonProperty
        public B stateRounding(StateRounding stateRounding) {
            this.stateRounding = stateRounding;
            return self();
        }

        /** Key of the random bits; default 0. */
        @JsonProperty
        public B seed(long seed) {
            this.seed = seed;
            return self();
        }

        /**
         * Bound of the gradient's norm over all parameters that fused updaters own in the network, 0 for none; default
         * 0. One value a network.
         */
        @JsonProperty
        public B maxGradientNorm(double maxGradientNorm) {
            this.maxGradientNorm = maxGradientNorm;
            return self();
        }

        /**
         * A step with a gradient that is not finite is skipped on all parameters; so many skips in a row stop training
         * with an exception, 1 or more; default 10. One value a network.
         */
        @JsonProperty
        public B maxConsecutiveSkips(int maxConsecutiveSkips) {
            this.maxConsecutiveSkips = maxConsecutiveSkips;
            return self();
        }
    }
}
