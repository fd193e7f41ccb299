package org.dl4jsr.policy;

import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.updater.FusedUpdater;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;
import org.nd4j.shade.jackson.databind.annotation.JsonPOJOBuilder;

/** A fused updater that dl4j-sr does not know. */
@JsonDeserialize(builder = OtherFusedUpdater.Builder.class)
final class OtherFusedUpdater extends FusedUpdater {

    private static final long serialVersionUID = 1;

    /** AdamW has two. */
    private final int moments;

    private OtherFusedUpdater(Builder builder) {
        super(builder);
        moments = builder.moments;
    }

    @Override
    public Builder toBuilder() {
        return new Builder().from(this).moments(moments);
    }

    @Override
    protected int moments() {
        return moments;
    }

    @Override
    protected OptimizerStep step(double learningRate, double gradientScale, long seed, int iteration) {
        return AdamW.step(
                learningRate,
                0.9,
                0.999,
                1e-8,
                getWeightDecay(),
                gradientScale,
                getWeightWrite(),
                getStateRounding(),
                seed,
                iteration);
    }

    @JsonPOJOBuilder(withPrefix = "")
    static final class Builder extends FusedUpdater.Builder<Builder> {

        private int moments = 2;

        Builder moments(int newMoments) {
            moments = newMoments;
            return this;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        public OtherFusedUpdater build() {
            return new OtherFusedUpdater(this);
        }
    }
}
