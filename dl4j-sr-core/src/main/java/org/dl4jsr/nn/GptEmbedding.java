package org.dl4jsr.nn;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Token ids to vectors: the token's row of a table plus its position's row of another, both learned.
 *
 * <p>Input: ids [batch, time], INT32 or any other type that holds them exactly (BFLOAT16 does so only to 256), of the
 * type {@code InputType.feedForward(time)}; time up to {@code contextLength}. Output: [batch, time, nOut].
 * Parameters: {@value #TOKENS} [nIn, nOut], {@value #POSITIONS} [contextLength, nOut].
 */
public final class GptEmbedding extends GptLayer {

    /** Key of the token table. */
    public static final String TOKENS = "tokens";

    /** Key of the position table. */
    public static final String POSITIONS = "positions";

    private int contextLength;

    private GptEmbedding() {}

    private GptEmbedding(Builder builder) {
        super(builder);
        contextLength = builder.contextLength;
        check();
        initializeConstraints(builder);
    }

    /** The longest sequence. */
    public int getContextLength() {
        return contextLength;
    }

    @Override
    List<Parameter> parameters() {
        return List.of(
                Parameter.matrix(TOKENS, nIn, nOut, DEVIATION),
                Parameter.matrix(POSITIONS, contextLength, nOut, DEVIATION));
    }

    @Override
    GptEmbeddingLayer implementation(NeuralNetConfiguration conf, DataType dataType) {
        return new GptEmbeddingLayer(conf, dataType);
    }

    @Override
    long forwardElements() {
        return 0;
    }

    @Override
    long backwardElements() {
        return 0;
    }

    @Override
    void check() {
        requirePositive("nIn (the vocabulary)", nIn);
        requirePositive("nOut (the width)", nOut);
        requirePositive("contextLength", contextLength);
    }

    /** Leaves nIn alone: the type of token ids does not tell the vocabulary. */
    @Override
    public void setNIn(InputType inputType, boolean override) {
        getOutputType(-1, inputType);
    }

    @Override
    public InputType getOutputType(int layerIndex, InputType inputType) {
        if (!(inputType instanceof InputType.InputTypeFeedForward ids)) {
            throw invalid("takes token ids [batch, time], InputType.feedForward(time), but its input is " + inputType);
        }
        if (ids.getSize() > contextLength) {
            throw invalid("has contextLength " + contextLength + ", but its input has " + ids.getSize() + " tokens");
        }
        return InputType.recurrent(nOut, ids.getSize(), RNNFormat.NWC);
    }

    @Override
    public boolean equals(Object o) {
        return super.equals(o) && o instanceof GptEmbedding other && contextLength == other.contextLength;
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), contextLength);
    }

    /** nIn is the vocabulary, nOut the width. */
    @SuppressWarnings("unchecked") // as DL4J declares build()
    public static final class Builder extends FeedForwardLayer.Builder<Builder> {

        private int contextLength;

        /** The longest sequence; needed. */
        public Builder contextLength(int contextLength) {
            this.contextLength = contextLength;
            return this;
        }

        @Override
        public GptEmbedding build() {
            return new GptEmbedding(this);
        }
    }
}
