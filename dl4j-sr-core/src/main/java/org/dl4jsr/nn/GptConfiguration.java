package org.dl4jsr.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * A GPT-2: embedding, {@code layers} transformer blocks, output. The graph has the input "tokens" [batch, time], the
 * vertices "embedding", "block0", "block1", ..., and the output "output" [batch, time, vocabulary].
 *
 * @param context the longest sequence
 * @param tiedHead whether the output's matrix is the embedding's token table
 * @param updater of the matrices
 * @param biasUpdater of biases and layer norms' gains, which want no weight decay
 * @param dataType FLOAT or BFLOAT16
 * @param seed of the initial weights, any but 0: FLOAT and BFLOAT16 start equal but for rounding
 */
public record GptConfiguration(
        int layers,
        int width,
        int heads,
        int context,
        int vocabulary,
        boolean tiedHead,
        IUpdater updater,
        IUpdater biasUpdater,
        DataType dataType,
        long seed) {

    /** Names of the input and of the vertices but the blocks'. */
    public static final String TOKENS = "tokens";

    public static final String EMBEDDING = "embedding";
    public static final String OUTPUT = "output";

    /** Throws an IllegalArgumentException that names what is wrong. */
    public GptConfiguration {
        requirePositive("layers", layers);
        requirePositive("width", width);
        requirePositive("heads", heads);
        requirePositive("context", context);
        requirePositive("vocabulary", vocabulary);
        if (width % heads != 0) {
            throw new IllegalArgumentException(
                    "width is " + width + ", which " + heads + " heads do not divide; change one of them");
        }
        if (dataType != DataType.FLOAT && dataType != DataType.BFLOAT16) {
            throw new IllegalArgumentException("dataType is " + dataType + ", expected FLOAT or BFLOAT16");
        }
        if (seed == 0) {
            throw new IllegalArgumentException("seed is 0, which ND4J takes for no seed; choose any other");
        }
        Objects.requireNonNull(updater, "updater");
        Objects.requireNonNull(biasUpdater, "biasUpdater");
    }

    /** Of GPT-2's smallest shape until told otherwise. */
    public static Builder builder() {
        return new Builder();
    }

    /** Number of parameters. Nothing is allocated. */
    public long parameters() {
        return layerConfigurations().stream()
                .mapToLong(layer -> layer.initializer().numParams(layer))
                .sum();
    }

    /** The configuration of the network: workspaces on, gradients not divided by the batch (the loss is a mean). */
    public ComputationGraphConfiguration toGraph() {
        var global = new NeuralNetConfiguration.Builder()
                .seed(seed)
                .miniBatch(false)
                .updater(updater)
                .biasUpdater(biasUpdater);
        var graph = global.graphBuilder().addInputs(TOKENS).setInputTypes(InputType.feedForward(context));
        String previous = TOKENS;
        for (var layer : layerConfigurations()) {
            String name = layer.getLayerName();
            if (layer instanceof GptOutput output && tiedHead) {
                graph.addVertex(name, new TiedHeadVertex(global, name, output), previous);
            } else {
                graph.addLayer(name, layer, previous);
            }
            previous = name;
        }
        var configuration = graph.setOutputs(OUTPUT).build();
        configuration.setDataType(dataType);
        return configuration;
    }

    private List<GptLayer> layerConfigurations() {
        var all = new ArrayList<GptLayer>();
        all.add(new GptEmbedding.Builder()
                .name(EMBEDDING)
                .nIn(vocabulary)
                .nOut(width)
                .contextLength(context)
                .build());
        for (int i = 0; i < layers; i++) {
            all.add(new TransformerBlock.Builder()
                    .name("block" + i)
                    .nOut(width)
                    .heads(heads)
                    .depth(layers)
                    .build());
        }
        all.add(new GptOutput.Builder()
                .name(OUTPUT)
                .nIn(width)
                .nOut(vocabulary)
                .tiedTo(tiedHead ? EMBEDDING : null)
                .build());
        return all;
    }

    private static void requirePositive(String name, int value) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " is " + value + ", expected 1 or more");
        }
    }

    /** Sets what differs from GPT-2's smallest: 12 layers, width 768, 12 heads, context 1024, 50257 tokens, tied. */
    public static final class Builder {

        private int layers = 12;
        private int width = 768;
        private int heads = 12;
        private int context = 1024;
        private int vocabulary = 50257;
        private boolean tiedHead = true;
        private IUpdater updater = new Adam(3e-4);
        private IUpdater biasUpdater;
        private DataType dataType = DataType.FLOAT;
        private long seed = 1;

        private Builder() {}

        /** Number of transformer blocks. */
        public Builder layers(int layers) {
            this.layers = layers;
            return this;
        }

        /** Width of a token's vector. */
        public Builder width(int width) {
            this.width = width;
            return this;
        }

        /** Attention heads of a block. */
        public Builder heads(int heads) {
            this.heads = heads;
            return this;
        }

        /** The longest sequence. */
        public Builder context(int context) {
            this.context = context;
            return this;
        }

        /** Number of different tokens. */
        public Builder vocabulary(int vocabulary) {
            this.vocabulary = vocabulary;
            return this;
        }

        /** Whether the output's matrix is the embedding's token table. */
        public Builder tiedHead(boolean tiedHead) {
            this.tiedHead = tiedHead;
            return this;
        }

        /** Of the matrices; Adam with learning rate 3e-4 by default. */
        public Builder updater(IUpdater updater) {
            this.updater = updater;
            return this;
        }

        /** Of biases and gains; the matrices' by default. */
        public Builder biasUpdater(IUpdater biasUpdater) {
            this.biasUpdater = biasUpdater;
            return this;
        }

        /** FLOAT, the default, or BFLOAT16. */
        public Builder dataType(DataType dataType) {
            this.dataType = dataType;
            return this;
        }

        /** Of the initial weights, any but 0; 1 by default. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** Throws an IllegalArgumentException if the settings contradict each other. */
        public GptConfiguration build() {
            return new GptConfiguration(
                    layers,
                    width,
                    heads,
                    context,
                    vocabulary,
                    tiedHead,
                    updater,
                    biasUpdater == null ? updater : biasUpdater,
                    dataType,
                    seed);
        }
    }
}
