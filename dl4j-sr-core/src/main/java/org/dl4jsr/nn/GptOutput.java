package org.dl4jsr.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The end of a GPT: layer norm, a matrix to the vocabulary (the head, without bias) and softmax cross-entropy.
 *
 * <p>Input: sequences [batch, time, nIn]. Output: FLOAT [batch, time, nOut], probabilities, or logits with {@code
 * activation(IDENTITY)}; the loss is that of the probabilities either way. Labels: the next tokens' ids [batch, time],
 * of any type that holds them exactly. A negative label, and a 0 in the labels' mask [batch, time] (or the features',
 * where labels have none), take the token out of the loss: the mean of -ln p over the tokens that count.
 *
 * <p>Parameters: {@value #HEAD} [nOut, nIn], {@value #NORM_GAIN} [nIn], {@value #NORM_BIAS} [nIn]. With {@link
 * Builder#tiedTo} there is no head of its own, and the layer is to be added as a {@link TiedHeadVertex}.
 */
public final class GptOutput extends GptLayer {

    /** Key of the head. */
    public static final String HEAD = "head";

    /** Key of the layer norm's gain. */
    public static final String NORM_GAIN = "normGain";

    /** Key of the layer norm's bias. */
    public static final String NORM_BIAS = "normBias";

    private String tiedTo;

    private GptOutput() {}

    private GptOutput(Builder builder) {
        super(builder);
        tiedTo = builder.tiedTo;
        requirePositive("nOut (the vocabulary)", nOut);
        if (!(activationFn instanceof ActivationSoftmax) && !(activationFn instanceof ActivationIdentity)) {
            throw invalid("gives probabilities (SOFTMAX) or logits (IDENTITY), but its activation is " + activationFn);
        }
        initializeConstraints(builder);
    }

    /** Name of the {@link GptEmbedding} whose token table is the head, or null. */
    public String getTiedTo() {
        return tiedTo;
    }

    @Override
    List<Parameter> parameters() {
        var parameters = new ArrayList<Parameter>();
        if (tiedTo == null) {
            parameters.add(Parameter.matrix(HEAD, nOut, nIn, DEVIATION));
        }
        parameters.add(Parameter.vector(NORM_GAIN, nIn, 1));
        parameters.add(Parameter.vector(NORM_BIAS, nIn, 0));
        return parameters;
    }

    @Override
    GptOutputLayer implementation(NeuralNetConfiguration conf, DataType dataType) {
        return new GptOutputLayer(conf, dataType);
    }

    @Override
    long forwardElements() {
        return nIn + nOut;
    }

    @Override
    long backwardElements() {
        return nIn;
    }

    @Override
    void check() {
        requirePositive("nIn (the width)", nIn);
        requirePositive("nOut (the vocabulary)", nOut);
    }

    @Override
    public boolean equals(Object o) {
        return super.equals(o) && o instanceof GptOutput other && Objects.equals(tiedTo, other.tiedTo);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), tiedTo);
    }

    /** nIn is the width, nOut the vocabulary. */
    @SuppressWarnings("unchecked") // as DL4J declares build()
    public static final class Builder extends FeedForwardLayer.Builder<Builder> {

        private String tiedTo;

        /** Gives probabilities. */
        public Builder() {
            activation(Activation.SOFTMAX);
        }

        /** Uses the token table of the {@link GptEmbedding} of this name as the head; null, the default: its own. */
        public Builder tiedTo(String embedding) {
            this.tiedTo = embedding;
            return this;
        }

        @Override
        public GptOutput build() {
            return new GptOutput(this);
        }
    }
}
