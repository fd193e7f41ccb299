package org.dl4jsr.nn;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A block of GPT-2: h = x + attention(layerNorm(x)), y = h + mlp(layerNorm(h)). The attention is causal and has several
 * heads; the MLP is four times as wide, with a GELU. Radford et al., <i>Language Models are Unsupervised Multitask
 * Learners</i>, 2019.
 *
 * <p>Input and output: sequences [batch, time, width] of any time; width is nIn and nOut, taken from the input where
 * neither is set. Matrices multiply from the right: {@value #QKV} [width, 3 width], {@value #PROJECTION} [width,
 * width], {@value #EXPAND} [width, 4 width], {@value #CONTRACT} [4 width, width]; each has a bias of the same name and
 * "Bias". The layer norms have {@value #ATTENTION_NORM}Gain and -Bias, {@value #MLP_NORM}Gain and -Bias.
 */
public final class TransformerBlock extends GptLayer {

    /** Key of the matrix to queries, keys and values. */
    public static final String QKV = "qkv";

    /** Key of the attention's output matrix. */
    public static final String PROJECTION = "projection";

    /** Key of the MLP's first matrix. */
    public static final String EXPAND = "expand";

    /** Key of the MLP's second matrix. */
    public static final String CONTRACT = "contract";

    /** Beginning of the keys of the attention's layer norm, before {@link #GAIN} and {@link #BIAS}. */
    public static final String ATTENTION_NORM = "attentionNorm";

    /** Beginning of the keys of the MLP's layer norm. */
    public static final String MLP_NORM = "mlpNorm";

    /** End of the key of a layer norm's gain. */
    public static final String GAIN = "Gain";

    /** End of the key of a bias, of a matrix or a layer norm. */
    public static final String BIAS = "Bias";

    private int heads;
    private int depth;

    private TransformerBlock() {}

    private TransformerBlock(Builder builder) {
        super(builder);
        heads = builder.heads;
        depth = builder.depth;
        requirePositive("heads", heads);
        requirePositive("depth", depth);
        setWidth(Math.max(nIn, nOut));
        initializeConstraints(builder);
    }

    /** Number of attention heads. */
    public int getHeads() {
        return heads;
    }

    /** Number of blocks in the network. */
    public int getDepth() {
        return depth;
    }

    @Override
    List<Parameter> parameters() {
        double residual = DEVIATION / Math.sqrt(2.0 * depth);
        return List.of(
                Parameter.matrix(QKV, nIn, 3 * nIn, DEVIATION),
                Parameter.matrix(PROJECTION, nIn, nIn, residual),
                Parameter.matrix(EXPAND, nIn, 4 * nIn, DEVIATION),
                Parameter.matrix(CONTRACT, 4 * nIn, nIn, residual),
                Parameter.vector(ATTENTION_NORM + GAIN, nIn, 1),
                Parameter.vector(ATTENTION_NORM + BIAS, nIn, 0),
                Parameter.vector(QKV + BIAS, 3 * nIn, 0),
                Parameter.vector(PROJECTION + BIAS, nIn, 0),
                Parameter.vector(MLP_NORM + GAIN, nIn, 1),
                Parameter.vector(MLP_NORM + BIAS, nIn, 0),
                Parameter.vector(EXPAND + BIAS, 4 * nIn, 0),
                Parameter.vector(CONTRACT + BIAS, nIn, 0));
    }

    @Override
    TransformerBlockLayer implementation(NeuralNetConfiguration conf, DataType dataType) {
        return new TransformerBlockLayer(conf, dataType);
    }

    @Override
    long forwardElements() {
        return 15 * nIn;
    }

    @Override
    long backwardElements() {
        return 9 * nIn;
    }

    @Override
    void check() {
        requirePositive("nIn (the width)", nIn);
        if (nOut != nIn) {
            throw invalid("has nIn " + nIn + " and nOut " + nOut + ", but its input and output have one width");
        }
        if (nIn % heads != 0) {
            throw invalid("has width " + nIn + ", which " + heads + " heads do not divide");
        }
    }

    @Override
    public void setNIn(InputType inputType, boolean override) {
        super.setNIn(inputType, override);
        setWidth(nIn);
    }

    private void setWidth(long width) {
        nIn = nIn == 0 ? width : nIn;
        nOut = nOut == 0 ? width : nOut;
        if (width > 0) {
            check();
        }
    }

    @Override
    public boolean equals(Object o) {
        return super.equals(o) && o instanceof TransformerBlock other && heads == other.heads && depth == other.depth;
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), heads, depth);
    }

    /** Of nIn and nOut at most one needs to be set. */
    @SuppressWarnings("unchecked") // as DL4J declares build()
    public static final class Builder extends FeedForwardLayer.Builder<Builder> {

        private int heads;
        private int depth = 1;

        /** Number of attention heads, which divides the width; needed. */
        public Builder heads(int heads) {
            this.heads = heads;
            return this;
        }

        /**
         * Number of blocks in the network, 1 by default: matrices whose result is added to the residual stream start
         * with a deviation smaller by 1 / sqrt(2 depth).
         */
        public Builder depth(int depth) {
            this.depth = depth;
            return this;
        }

        @Override
        public TransformerBlock build() {
            return new TransformerBlock(this);
        }
    }
}
