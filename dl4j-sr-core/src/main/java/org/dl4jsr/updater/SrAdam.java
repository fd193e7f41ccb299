package org.dl4jsr.updater;

import java.util.Map;
import java.util.Objects;
import org.dl4jsr.kernel.AdamW;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonProperty;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;
import org.nd4j.shade.jackson.databind.annotation.JsonPOJOBuilder;

/**
 * AdamW for BF16 networks with a stochastically rounded weight write (Ozkara, Yu, Park, arXiv 2502.20566); the drop-in
 * updater: {@code .updater(new SrAdam(3e-4))}. The weight decay is decoupled (Loshchilov and Hutter, arXiv 1711.05101).
 * See {@link AdamW} for the arithmetic. Adam's step number t is DL4J's iteration + 1, as in DL4J's own Adam.
 *
 * <p>State in elements of the network's type a parameter: 2; 3 with KAHAN; 6, and 16 a variable, with MASTER, which
 * keeps FP32 values there. They survive every bit copy (clone, save, restore); arithmetic on the updater state
 * (parameter averaging, casts) is found out at the next step. DL4J cannot split that state: under MASTER
 * {@code setLearningRate} works for the whole network, and throws for a single layer.
 *
 * <p>DL4J's own, with any updater: {@code ComputationGraph.clone} starts counting iterations at 0, and
 * {@code TransferLearning.GraphBuilder} builds a FLOAT graph, to be followed by {@code convertDataType(BFLOAT16)}.
 */
@JsonDeserialize(builder = SrAdam.Builder.class)
public final class SrAdam extends FusedUpdater {

    private static final long serialVersionUID = 1;

    private final double beta1;
    private final double beta2;
    private final double epsilon;

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
        super(builder);
        beta1 = validBeta("beta1", builder.beta1);
        beta2 = validBeta("beta2", builder.beta2);
        epsilon = builder.epsilon;
        require(
                (float) epsilon > 0 && (float) epsilon <= Float.MAX_VALUE,
                "epsilon",
                epsilon,
                "above 0 and finite in FP32, such as 1e-8");
    }

    public static Builder builder() {
        return new Builder();
    }

    @Override
    public Builder toBuilder() {
        return new Builder().from(this).beta1(beta1).beta2(beta2).epsilon(epsilon);
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

    @Override
    protected AdamW optimizer(int iteration) {
        return AdamW.of(beta1, beta2, epsilon, iteration);
    }

    @Override
    protected Map<String, Object> settings() {
        Map<String, Object> settings = super.settings();
        settings.put("beta1", beta1);
        settings.put("beta2", beta2);
        settings.put("epsilon", epsilon);
        return settings;
    }

    /** Builds a {@link SrAdam}; {@link #build} validates. */
    @JsonPOJOBuilder(withPrefix = "")
    public static final class Builder extends FusedUpdater.Builder<Builder> {

        private double beta1 = 0.9;
        private double beta2 = 0.999;
        private double epsilon = 1e-8;

        @Override
        protected Builder self() {
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

        @Override
        public SrAdam build() {
            return new SrAdam(this);
        }
    }
}
