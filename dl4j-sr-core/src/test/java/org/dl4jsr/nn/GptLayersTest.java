package org.dl4jsr.nn;

import static org.dl4jsr.nn.TestNetworks.LABELS;
import static org.dl4jsr.nn.TestNetworks.TOKENS;
import static org.dl4jsr.nn.TestNetworks.data;
import static org.dl4jsr.nn.TestNetworks.gradient;
import static org.dl4jsr.nn.TestNetworks.ints;
import static org.dl4jsr.nn.TestNetworks.lively;
import static org.dl4jsr.nn.TestNetworks.network;
import static org.dl4jsr.nn.TestNetworks.tiny;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.exception.DL4JException;
import org.deeplearning4j.exception.DL4JInvalidConfigException;
import org.deeplearning4j.exception.DL4JInvalidInputException;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The layers in networks that users put together, and what they say to bad input. */
class GptLayersTest {

    private static GptEmbedding.Builder embedding() {
        return new GptEmbedding.Builder().nIn(7).nOut(8).contextLength(5);
    }

    private static TransformerBlock.Builder block() {
        return new TransformerBlock.Builder().heads(2);
    }

    @Test
    void inAMultiLayerNetwork() {
        var net = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(1e-2))
                .list()
                .layer(embedding().build())
                .layer(block().build())
                .layer(new GptOutput.Builder().nOut(7).build())
                .setInputType(InputType.feedForward(5))
                .build());
        net.init();
        double start = net.score(data());
        for (int i = 0; i < 60; i++) {
            net.fit(data());
        }
        assertTrue(net.score(data()) < start / 3, start + " -> " + net.score(data()));
        assertEquals(7, net.output(ints(TOKENS)).size(2));
    }

    /** Among DL4J's own layers, whose arrays are not row-major. */
    @Test
    void betweenLayersOfDl4j() {
        Nd4j.getRandom().setSeed(3);
        INDArray x = Nd4j.randn(DataType.FLOAT, 4, 5, 3);
        INDArray y = Nd4j.zeros(DataType.FLOAT, 4, 5, 2);
        for (int b = 0; b < 4; b++) {
            for (int t = 0; t < 5; t++) {
                y.putScalar(b, t, x.getDouble(b, t, 0) + x.getDouble(b, 0, 1) > 0 ? 1 : 0, 1);
            }
        }
        var data = new DataSet(x, y);
        var with = network(lstmBlockOutput(WorkspaceMode.ENABLED));
        var without = network(lstmBlockOutput(WorkspaceMode.NONE));
        double start = with.score(data);
        for (int i = 0; i < 40; i++) {
            with.fit(data);
            without.fit(data);
        }
        assertTrue(with.score(data) < start / 10, start + " -> " + with.score(data));
        assertEquals(without.params(), with.params());
        assertEquals(without.score(data), with.score(data));
        assertEquals(without.output(x)[0], with.output(x)[0]);
    }

    private static ComputationGraphConfiguration lstmBlockOutput(WorkspaceMode workspaces) {
        return new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(1e-2))
                .trainingWorkspaceMode(workspaces)
                .inferenceWorkspaceMode(workspaces)
                .graphBuilder()
                .addInputs("x")
                .setInputTypes(InputType.recurrent(3, 5, RNNFormat.NWC))
                .addLayer(
                        "in",
                        new LSTM.Builder().nOut(8).dataFormat(RNNFormat.NWC).build(),
                        "x")
                .addLayer("block", block().build(), "in")
                .addLayer(
                        "out",
                        new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                .activation(Activation.SOFTMAX)
                                .dataFormat(RNNFormat.NWC)
                                .nOut(2)
                                .build(),
                        "block")
                .setOutputs("out")
                .build();
    }

    /** DL4J's "external errors": the gradient of the output comes from outside the network. */
    @Test
    void errorsFromOutside() {
        var net = network(new NeuralNetConfiguration.Builder()
                .seed(1)
                .graphBuilder()
                .addInputs("x")
                .addLayer("block", block().nIn(4).build(), "x")
                .setOutputs("block")
                .build());
        Nd4j.getRandom().setSeed(2);
        net.setParams(Nd4j.randn(DataType.FLOAT, 1, net.numParams()).muli(0.5));
        INDArray x = Nd4j.randn(DataType.FLOAT, 2, 3, 4);
        INDArray epsilon = Nd4j.randn(DataType.FLOAT, 2, 3, 4);
        INDArray direction = Nd4j.randn(DataType.FLOAT, 1, net.numParams());

        net.feedForward(new INDArray[] {x}, true, false);
        INDArray gradient = net.backpropGradient(epsilon).gradient();
        INDArray params = net.params().dup();
        double h = 1e-3;
        net.setParams(params.add(direction.mul(h)));
        double above = net.output(x)[0].mul(epsilon).sumNumber().doubleValue();
        net.setParams(params.sub(direction.mul(h)));
        double below = net.output(x)[0].mul(epsilon).sumNumber().doubleValue();
        double expected = (above - below) / (2 * h);
        assertTrue(Math.abs(expected) > 1, "too small to tell: " + expected);
        assertEquals(expected, gradient.mul(direction).sumNumber().doubleValue(), 0.01 * Math.abs(expected));
    }

    /** A frozen layer runs forward as in inference, so that its backward pass has to compute everything again. */
    @Test
    void frozenBlocksPassTheGradientOn() {
        var free = lively(tiny().tiedHead(false).build());
        var frozen = network(new NeuralNetConfiguration.Builder()
                .miniBatch(false)
                .updater(new Sgd(0.1))
                .graphBuilder()
                .addInputs("tokens")
                .setInputTypes(InputType.feedForward(5))
                .addLayer("embedding", embedding().build(), "tokens")
                .addLayer("block0", block().build(), "embedding")
                .addLayer("block1", new FrozenLayerWithBackprop(block().nIn(8).build()), "block0")
                .addLayer("output", new GptOutput.Builder().nOut(7).build(), "block1")
                .setOutputs("output")
                .build());
        frozen.setParams(free.params());
        gradient(free, data());
        gradient(frozen, data());
        for (String name : new String[] {"embedding_tokens", "embedding_positions", "block0_qkv", "output_head"}) {
            assertEquals(free.gradient().getGradientFor(name), frozen.gradient().getGradientFor(name), name);
        }
        frozen.fit(data());
        assertEquals(free.getParam("block1_qkv"), frozen.getParam("block1_qkv"));
        assertNotEquals(free.getParam("block0_qkv"), frozen.getParam("block0_qkv"));
    }

    @Test
    void aFrozenEmbeddingFreezesTheHeadTiedToIt() {
        var net = lively(tiny().tiedHead(true).updater(new Sgd(0.1)).build());
        net.getVertex("embedding").setLayerAsFrozen();
        INDArray table = net.getParam("embedding_tokens").dup();
        INDArray block = net.getParam("block0_qkv").dup();
        net.fit(data());
        assertEquals(table, net.getParam("embedding_tokens"));
        assertNotEquals(block, net.getParam("block0_qkv"));
    }

    @Test
    void transferLearning() {
        var net = lively(tiny().tiedHead(false).updater(new Sgd(0.1)).build());
        var tuned = new TransferLearning.GraphBuilder(net)
                .fineTuneConfiguration(new FineTuneConfiguration.Builder()
                        .updater(new Adam(1e-2))
                        .build())
                .setFeatureExtractor("block0")
                .build();
        double start = net.score(data());
        assertEquals(start, tuned.score(data()), 1e-6);
        for (int i = 0; i < 30; i++) {
            tuned.fit(data());
        }
        assertTrue(tuned.score(data()) < start / 2, start + " -> " + tuned.score(data()));
        assertEquals(net.getParam("block0_qkv"), tuned.getParam("block0_qkv"));

        var tied = new TransferLearning.GraphBuilder(
                        lively(tiny().tiedHead(true).build()))
                .setFeatureExtractor("block0")
                .build();
        assertConfig("is not in a TiedHeadVertex", () -> tied.output(ints(TOKENS)));
    }

    @Test
    void logitsOnRequest() {
        var configuration = tiny().tiedHead(false).build();
        var graph = configuration.toGraph();
        var output = (GptOutput)
                ((LayerVertex) graph.getVertices().get("output")).getLayerConf().getLayer();
        output.setActivationFn(Activation.IDENTITY.getActivationFunction());
        var logits = network(graph);
        var net = lively(configuration);
        logits.setParams(net.params());
        INDArray expected = net.output(ints(TOKENS))[0];
        INDArray actual = Nd4j.nn().softmax(logits.output(ints(TOKENS))[0], 2);
        assertTrue(expected.equalsWithEps(actual, 1e-6));
        assertEquals(net.score(data()), logits.score(data()), 1e-7);
    }

    @Test
    void tokensOutOfRangeAreNamed() {
        var net = network(tiny().build());
        assertInput(
                "Token id 7 at [1, 2] is out of range: the vocabulary has 7",
                () -> net.output(ints(new int[][] {{1, 2, 3}, {1, 2, 7}})));
        assertInput("Token id -1 at [0, 1] is out of range", () -> net.output(ints(new int[][] {{1, -1, 3}})));
        assertInput(
                "Token id 2.5 at [0, 1] is not a whole number of 32 bits",
                () -> net.output(Nd4j.createFromArray(new float[][] {{1, 2.5f, 3}})));
        assertInput(
                "Token id NaN at [0, 0] is not a whole number of 32 bits",
                () -> net.output(Nd4j.createFromArray(new float[][] {{Float.NaN, 2, 3}})));
        assertInput(
                "Token id 4.294967297E9 at [0, 0] is not",
                () -> net.output(Nd4j.createFromArray(new double[][] {{4294967297.0, 2}})));
    }

    @Test
    void wrongShapesAreNamed() {
        var net = network(tiny().build());
        assertInput(
                "Sequences of 6 tokens are longer than the context of 5",
                () -> net.output(ints(new int[][] {{1, 2, 3, 4, 5, 6}})));
        assertInput(
                "Token ids have shape [3], expected [batch, time]", () -> net.output(Nd4j.createFromArray(1, 2, 3)));
        assertInput(
                "Labels have shape [1, 5], expected [batch, time] = [3, 5]",
                () -> net.fit(new DataSet(ints(TOKENS), ints(new int[][] {{1, 2, 3, 4, 5}}))));
        assertInput(
                "Labels' mask has shape [1, 5], expected [batch, time] = [3, 5]",
                () -> net.fit(new DataSet(ints(TOKENS), ints(LABELS), null, Nd4j.ones(1, 5))));
        var block = network(new NeuralNetConfiguration.Builder()
                .graphBuilder()
                .addInputs("x")
                .addLayer("block", block().nIn(4).build(), "x")
                .setOutputs("block")
                .build());
        assertInput("Input has shape [2, 3, 5], expected [batch, time, 4]", () -> block.output(Nd4j.ones(2, 3, 5)));
        assertInput("Input has shape [6, 4], expected [batch, time, 4]", () -> block.output(Nd4j.ones(6, 4)));
    }

    @Test
    void badLabelsAreNamed() {
        var net = network(tiny().build());
        assertInput(
                "Label 7 at [0, 1] is out of range: the vocabulary has 7",
                () -> net.fit(new DataSet(ints(new int[][] {{1, 2}}), ints(new int[][] {{1, 7}}))));
        assertInput(
                "All labels are masked or negative",
                () -> net.fit(new DataSet(ints(new int[][] {{1, 2}}), ints(new int[][] {{-1, -1}}))));
        assertInput(
                "Labels' mask holds 0.5, expected 0 or 1",
                () -> net.fit(
                        new DataSet(ints(TOKENS), ints(LABELS), null, Nd4j.valueArrayOf(new long[] {3, 5}, 0.5f))));
    }

    @Test
    void aFailureLeavesTheNetworkUsable() {
        var net = lively(tiny().build());
        INDArray expected = gradient(net, data());
        assertThrows(
                DL4JInvalidInputException.class,
                () -> net.fit(new DataSet(ints(TOKENS), ints(new int[][] {{1, 2, 3, 4, 9}, LABELS[1], LABELS[2]}))));
        assertEquals(expected, gradient(net, data()));
    }

    @Test
    void aTiedHeadThatCannotBeSaysSo() {
        var global = new NeuralNetConfiguration.Builder();
        var plain = network(global.graphBuilder()
                .addInputs("tokens")
                .setInputTypes(InputType.feedForward(5))
                .addLayer("embedding", embedding().build(), "tokens")
                .addLayer(
                        "output",
                        new GptOutput.Builder().nOut(7).tiedTo("embedding").build(),
                        "embedding")
                .setOutputs("output")
                .build());
        assertConfig("is not in a TiedHeadVertex", () -> plain.output(ints(TOKENS)));

        var other = new GptOutput.Builder().nIn(8).nOut(9).tiedTo("embedding").build();
        var sizes = network(global.graphBuilder()
                .addInputs("tokens")
                .setInputTypes(InputType.feedForward(5))
                .addLayer("embedding", embedding().build(), "tokens")
                .addVertex("output", new TiedHeadVertex(global, "output", other), "embedding")
                .setOutputs("output")
                .build());
        assertConfig("has vocabulary 9 and width 8", () -> sizes.output(ints(TOKENS)));
    }

    private static void assertInput(String message, Runnable action) {
        assertError(DL4JInvalidInputException.class, message, action);
    }

    private static void assertConfig(String message, Runnable action) {
        assertError(DL4JInvalidConfigException.class, message, action);
    }

    private static void assertError(Class<? extends DL4JException> type, String message, Runnable action) {
        var e = assertThrows(type, action::run);
        assertTrue(e.getMessage().startsWith(message) || e.getMessage().contains(message), e.getMessage());
    }
}
