package org.dl4jsr.policy;

import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.updater.FusedUpdater;
import org.nd4j.shade.jackson.databind.annotation.JsonDeserialize;
import org.nd4j.shade.jackson.databind.annotation.JsonPOJOBuilder;

/** A fused updater that dl4j-sr does not know. */
@JsonDeserialize(builder = OtherFusedUpdater.Builder.class)
final class OtherFusedUpdater extends FusedUpdater {

    private static final long serialVersionUID = 1;

    private OtherFusedUpdater(Builder builder) {
        super(builder);
    }

    @Override
    public Builder toBuilder() {
        return new Builder().from(this);
    }

    @Override
    protected AdamW optimizer(int iteration) {
        return AdamW.of(0.9, 0.999, 1e-8, iteration);
    }

    @JsonPOJOBuilder(withPrefix = "")
    static final class Builder extends FusedUpdater.Builder<Builder> {

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
