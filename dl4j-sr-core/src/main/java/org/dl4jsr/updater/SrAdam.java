package org.dl4jsr.updater;

import java.util.Map;
import java.util.Objects;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;
import org.nd4j.shade.jackson.databind.annotation.JsonPOJOBuilder;

/**
 * AdamW for BF16 networks with a stochastically rounded weight write (Ozkara, Yu, Park, arXiv 2502.20566); the drop-in
 * updater: {@code .updater(new SrAdam(3e-4))}. The weight decay is decoupled (Loshchilov and Hutter, arXiv 1711.05101).
 * See {@link org.dl4jsr.kernel.OptimizerStep} for the arithmetic. The step number is DL4J's iteration.
 *
 * <p>In a FLOAT network the same AdamW runs with exact writes. DOUBLE and HALF networks are refused.
 *
 * <p>State in elements of the network's type a parameter: 2; 3 with {@link WeightWrite#KAHAN}; 6, and 16 a variable,
 * with {@link WeightWrite#MASTER}, which keeps FP32 values there. They survive every bit copy (clone, save, restore);
 * arithmetic on the updater state (parameter averaging, casts) is found out at the next step. DL4J cannot split that
 * state: under MASTER {@code setLearningRate} works for the whole network, and throws for a single layer.
 *
 * <p>DL4J's own, with any updater: {@code ComputationGraph.clone} starts counting iterations at 0, and
 * {@code TransferLearning.GraphBuilder} builds a FLOAT graph, to be followed by {@code convertDataType(BFLOAT16)}.
 */
@JsonDeserialize(builder = SrAdam.Builder.class)
public final class SrAdam implements IUpdater {

    private static final long serialVersionUID = 1;

    private double learningRate;
    private ISchedule learningRateSchedule;
    private final double beta1;
    private final double beta2;
    private final double epsilon;
    private final double weightDecay;
    private final WeightWrite weightWrite;
    private final StateRounding stateRounding;
    private final long seed;
    private final double maxGradientNorm;
    private final int maxConsecutiveSkips;

    /** All defaults; learning rate 1e-3. */
    public SrAdam() {
        this(new Builder());
    }

    /** A fixed learning rate; all else at its default. */
    public SrAdam(double learningRate) {
        this(new Builder().learningRate(learningRate));
    }

    /** A learning rate from a schedule; all else at its default. */
    public SrAdam(ISchedule learningRateSchedule) {
        this(new Builder()
                .learningRateSchedule(Objects.requireNonNull(learningRateSchedule, "learningRateSchedule is null")));
    }

    private SrAdam(Builder builder) {
        learningRateSchedule = builder.learningRateSchedule;
        learningRate = learningRateSchedule == null ? validRate("learningRate", builder.learningRate) : Double.NaN;
        beta1 = validBeta("beta1", builder.beta1);
        beta2 = validBeta("beta2", builder.beta2);
        epsilon = builder.epsilon;
        require(
                (float) epsilon > 0 && (float) epsilon <= Float.MAX_VALUE,
                "epsilon",
                epsilon,
                "above 0 and finite in FP32, such as 1e-8");
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

    public static Builder builder() {
        return new Builder();
    }

    /** A builder that starts with this configuration. */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.learningRate = learningRate;
        builder.learningRateSchedule = learningRateSchedule;
        builder.beta1 = beta1;
        builder.beta2 = beta2;
        builder.epsilon = epsilon;
        builder.weightDecay = weightDecay;
        builder.weightWrite = weightWrite;
        builder.stateRounding = stateRounding;
        builder.seed = seed;
        builder.maxGradientNorm = maxGradientNorm;
        builder.maxConsecutiveSkips = maxConsecutiveSkips;
        return builder;
    }

    private static double validRate(String name, double value) {
        require(value >= 0 && (float) value <= Float.MAX_VALUE, name, value, "0 or more and finite, such as 3e-4");
        return value;
    }

    private static double validBeta(String name, double value) {
        require(value >= 0 && (float) value < 1, name, value, "0 or more and below 1 in FP32 (at most 0.9999999)");
        return value;
    }

    private static void require(boolean valid, String name, Object value, String range) {
        if (!valid) {
            throw new IllegalArgumentException("SrAdam." + name + " is " + value + ", expected " + range);
        }
    }

    /** Decay of the first moment. */
    public double getBeta1() {
        return beta1;
    }

    /** Decay of the second moment. */
    public double getBeta2() {
        return beta2;
    }

    /** Added to the root of the second moment. */
    public double getEpsilon() {
        return epsilon;
    }

    /** Decoupled weight decay, times the learning rate. */
    public double getWeightDecay() {
        return weightDecay;
    }

    /** How the new weight reaches BF16. */
    public WeightWrite getWeightWrite() {
        return weightWrite;
    }

    /** How the second moment reaches BF16. */
    public StateRounding getStateRounding() {
        return stateRounding;
    }

    /** Key of the random bits. */
    public long getSeed() {
        return seed;
    }

    /** Bound of the global gradient norm, 0 for none. */
    public double getMaxGradientNorm() {
        return maxGradientNorm;
    }

    /** Steps in a row that may be skipped before training stops. */
    public int getMaxConsecutiveSkips() {
        return maxConsecutiveSkips;
    }

    /** The schedule, or null with a fixed learning rate. */
    public ISchedule getLearningRateSchedule() {
        return learningRateSchedule;
    }

    @Override
    public double getLearningRate(int iteration, int epoch) {
        return learningRateSchedule == null
                ? learningRate
                : validRate(
                        "learningRateSchedule's value at iteration " + iteration,
                        learningRateSchedule.valueAt(iteration, epoch));
    }

    @Override
    public boolean hasLearningRate() {
        return true;
    }

    @Override
    public void setLrAndSchedule(double lr, ISchedule lrSchedule) {
        learningRate = lrSchedule == null ? validRate("learningRate", lr) : Double.NaN;
        learningRateSchedule = lrSchedule;
    }

    @Override
    public long stateSize(long numParams) {
        long size = SrAdamState.size(weightWrite, numParams);
        if (size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("One variable of " + numParams + " parameters needs " + size
                    + " elements of updater state under " + weightWrite + ", and DL4J counts them in an int: split the"
                    + " layer, or choose a weightWrite with less state");
        }
        return size;
    }

    @Override
    public GradientUpdater<SrAdam> instantiate(INDArray viewArray, boolean initializeViewArray) {
        Bf16Executioner.requiredBy("SrAdam");
        DataType type = viewArray.dataType();
        if (type != DataType.BFLOAT16 && type != DataType.FLOAT) {
            throw new IllegalStateException("SrAdam in a network of type " + type + ": it trains BFLOAT16 and FLOAT"
                    + " networks; set the configuration's data type to one of them");
        }
        if (type == DataType.FLOAT && (weightWrite == WeightWrite.KAHAN || weightWrite == WeightWrite.MASTER)) {
            throw new IllegalStateException("SrAdam with weightWrite " + weightWrite + " in a FLOAT network, whose"
                    + " weights are written exactly: set the data type to BFLOAT16 or weightWrite to STOCHASTIC");
        }
        if (initializeViewArray) {
            viewArray.assign(0);
        }
        return new SrAdamUpdater(this, viewArray);
    }

    @Override
    public GradientUpdater<SrAdam> instantiate(Map<String, INDArray> updaterState, boolean initializeStateArrays) {
        throw new UnsupportedOperationException("SrAdam does not train SameDiff models: it needs the flattened"
                + " parameters of a MultiLayerNetwork or ComputationGraph");
    }

    @Override
    public SrAdam clone() {
        return toBuilder().build();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SrAdam that
                && Double.compare(learningRate, that.learningRate) == 0
                && Objects.equals(learningRateSchedule, that.learningRateSchedule)
                && beta1 == that.beta1
                && beta2 == that.beta2
                && epsilon == that.epsilon
                && weightDecay == that.weightDecay
                && weightWrite == that.weightWrite
                && stateRounding == that.stateRounding
                && seed == that.seed
                && maxGradientNorm == that.maxGradientNorm
                && maxConsecutiveSkips == that.maxConsecutiveSkips;
    }

    @Override
    public int hashCode() {
        return Objects.hash(
                learningRate,
                learningRateSchedule,
                beta1,
                beta2,
                epsilon,
                weightDecay,
                weightWrite,
                stateRounding,
                seed,
                maxGradientNorm,
                maxConsecutiveSkips);
    }

    @Override
    public String toString() {
        return "SrAdam(learningRate=" + (learningRateSchedule == null ? learningRate : learningRateSchedule)
                + ", beta1=" + beta1 + ", beta2=" + beta2 + ", epsilon=" + epsilon + ", weightDecay=" + weightDecay
                + ", weightWrite=" + weightWrite + ", stateRounding=" + stateRounding + ", seed=" + seed
                + ", maxGradientNorm=" + maxGradientNorm + ", maxConsecutiveSkips=" + maxConsecutiveSkips + ")";
    }

    /** Builds a {@link SrAdam}; {@link #build} validates. */
    @JsonPOJOBuilder(withPrefix = "")
    public static final class Builder {

        private double learningRate = 1e-3;
        private ISchedule learningRateSchedule;
        private double beta1 = 0.9;
        private double beta2 = 0.999;
        private double epsilon = 1e-8;
        private double weightDecay;
        private WeightWrite weightWrite = WeightWrite.STOCHASTIC;
        private StateRounding stateRounding = StateRounding.STOCHASTIC;
        private long seed;
        private double maxGradientNorm;
        private int maxConsecutiveSkips = 10;

        /** The fixed learning rate, 0 or more; default 1e-3; not used where a schedule is set. */
        @JsonProperty
        public Builder learningRate(double learningRate) {
            this.learningRate = learningRate;
            return this;
        }

        /** The learning rate by iteration and epoch; default null, the fixed one. */
        @JsonProperty
        public Builder learningRateSchedule(ISchedule learningRateSchedule) {
            this.learningRateSchedule = learningRateSchedule;
            return this;
        }

        /** Decay of the first moment, in [0, 1); default 0.9. */
        @JsonProperty
        public Builder beta1(double beta1) {
            this.beta1 = beta1;
            return this;
        }

        /**
         * Decay of the second moment, in [0, 1); default 0.999, as everywhere else, and safe in BF16 only because v is
         * rounded stochastically. Language models like 0.95.
         */
        @JsonProperty
        public Builder beta2(double beta2) {
            this.beta2 = beta2;
            return this;
        }

        /** Added to the root of the second moment, above 0; default 1e-8. */
        @JsonProperty
        public Builder epsilon(double epsilon) {
            this.epsilon = epsilon;
            return this;
        }

        /** Decoupled weight decay, 0 or more, times the learning rate; default 0. */
        @JsonProperty
        public Builder weightDecay(double weightDecay) {
            this.weightDecay = weightDecay;
            return this;
        }

        /** How the new weight reaches BF16; default {@link WeightWrite#STOCHASTIC}; no effect in FLOAT networks. */
        @JsonProperty
        public Builder weightWrite(WeightWrite weightWrite) {
            this.weightWrite = weightWrite;
            return this;
        }

        /** How the second moment reaches BF16; default {@link StateRounding#STOCHASTIC}; no effect on FP32 state. */
        @JsonProperty
        public Builder stateRounding(StateRounding stateRounding) {
            this.stateRounding = stateRounding;
            return this;
        }

        /** Key of the random bits; default 0. The bits depend on seed, iteration and parameter index alone. */
        @JsonProperty
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Bound of the gradient's norm over all parameters that SrAdam owns in the network, 0 for none; default 0. One
         * value a network.
         */
        @JsonProperty
        public Builder maxGradientNorm(double maxGradientNorm) {
            this.maxGradientNorm = maxGradientNorm;
            return this;
        }

        /**
         * A step with a gradient that is not finite is skipped on all parameters; so many skips in a row stop training
         * with an exception, 1 or more; default 10. One value a network.
         */
        @JsonProperty
        public Builder maxConsecutiveSkips(int maxConsecutiveSkips) {
            this.maxConsecutiveSkips = maxConsecutiveSkips;
            return this;
        }

        /** @throws IllegalArgumentException naming the parameter, its value and the valid range */
        public SrAdam build() {
            return new SrAdam(this);
        }
    }
}
