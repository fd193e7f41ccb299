package org.dl4jsr.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.UnaryOperator;
import org.deeplearning4j.exception.DL4JInvalidConfigException;
import org.deeplearning4j.nn.conf.CacheMode;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.memory.MemoryType;
import org.deeplearning4j.nn.conf.memory.MemoryUseMode;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;

class GptConfigurationTest {

    private static GptConfiguration.Builder tiny() {
        return GptConfiguration.builder().layers(2).width(8).heads(2).context(6).vocabulary(11);
    }

    /** The counts of the models as published: OpenAI's GPT-2 and EleutherAI's GPT-Neo. */
    @ParameterizedTest
    @CsvSource({"12, 768, 12, 124439808", "24, 1024, 16, 354823168", "36, 1280, 20, 774030080"})
    void countsThePublishedParametersWithoutAllocating(int layers, int width, int heads, long parameters) {
        var gpt2 = GptConfiguration.builder()
                .layers(layers)
                .width(width)
                .heads(heads)
                .build();
        assertEquals(parameters, gpt2.parameters());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theNetworkHasAsManyParametersAsCounted(boolean tied) {
        var configuration = tiny().tiedHead(tied).build();
        var net = new ComputationGraph(configuration.toGraph());
        net.init();
        assertEquals(configuration.parameters(), net.numParams());
        int head = tied ? 0 : 11 * 8;
        int block = 12 * 8 * 8 + 13 * 8;
        assertEquals(11 * 8 + 6 * 8 + 2 * block + 2 * 8 + head, net.numParams());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void jsonYamlAndCloneKeepEverything(boolean tied) {
        var graph = tiny().tiedHead(tied)
                .dataType(DataType.BFLOAT16)
                .seed(7)
                .biasUpdater(new Sgd(0.1))
                .build()
                .toGraph();
        var json = ComputationGraphConfiguration.fromJson(graph.toJson());
        var yaml = ComputationGraphConfiguration.fromYaml(graph.toYaml());
        var clone = graph.clone();
        for (var copy : new ComputationGraphConfiguration[] {json, yaml, clone}) {
            assertNotSame(graph, copy);
            assertEquals(graph.toJson(), copy.toJson());
            assertEquals(graph.getVertices(), copy.getVertices());
            assertEquals(DataType.BFLOAT16, copy.getDataType());
            var block = (TransformerBlock) layer(copy, "block1");
            assertEquals(2, block.getHeads());
            assertEquals(2, block.getDepth());
            assertEquals(8, block.getNIn());
            assertEquals(6, ((GptEmbedding) layer(copy, "embedding")).getContextLength());
            assertEquals(
                    tied ? TiedHeadVertex.class : LayerVertex.class,
                    copy.getVertices().get("output").getClass());
        }
    }

    @Test
    void everySettingDistinguishesLayers() {
        assertNotEquals(
                new TransformerBlock.Builder().nIn(8).heads(2).build(),
                new TransformerBlock.Builder().nIn(8).heads(4).build());
        assertNotEquals(
                new TransformerBlock.Builder().nIn(8).heads(2).depth(2).build(),
                new TransformerBlock.Builder().nIn(8).heads(2).depth(3).build());
        assertNotEquals(
                new GptEmbedding.Builder().nIn(9).nOut(8).contextLength(4).build(),
                new GptEmbedding.Builder().nIn(9).nOut(8).contextLength(5).build());
        assertNotEquals(
                new GptOutput.Builder().nIn(8).nOut(9).tiedTo("a").build(),
                new GptOutput.Builder().nIn(8).nOut(9).tiedTo("b").build());
    }

    @Test
    void updatersGoWithMatricesAndVectors() {
        var graph =
                tiny().updater(new Adam(0.1)).biasUpdater(new Sgd(0.2)).build().toGraph();
        for (String vertex : new String[] {"embedding", "block0", "block1", "output"}) {
            var layer = (GptLayer) layer(graph, vertex);
            for (var parameter : layer.parameters()) {
                var updater = layer.getUpdaterByParam(parameter.name());
                assertEquals(parameter.isMatrix() ? Adam.class : Sgd.class, updater.getClass(), parameter.name());
            }
        }
        var block = (GptLayer) layer(graph, "block0");
        assertInstanceOf(Sgd.class, block.getUpdaterByParam("mlpNormGain"));
        assertInstanceOf(Sgd.class, block.getUpdaterByParam("qkvBias"));
        assertInstanceOf(Adam.class, block.getUpdaterByParam("contract"));
    }

    @Test
    void weightDecayGoesWithMatricesOnly() {
        var configuration = new NeuralNetConfiguration.Builder()
                .weightDecay(0.1)
                .layer(new TransformerBlock.Builder().nIn(8).heads(2).build())
                .build();
        assertFalse(configuration.getLayer().getRegularizationByParam("qkv").isEmpty());
        assertTrue(configuration.getLayer().getRegularizationByParam("qkvBias").isEmpty());
        assertTrue(configuration
                .getLayer()
                .getRegularizationByParam("attentionNormGain")
                .isEmpty());
    }

    @Test
    void badSettingsAreNamed() {
        assertBad("layers is 0", b -> b.layers(0));
        assertBad("width is -8", b -> b.width(-8));
        assertBad("heads is 0", b -> b.heads(0));
        assertBad("context is 0", b -> b.context(0));
        assertBad("vocabulary is 0", b -> b.vocabulary(0));
        assertBad("width is 8, which 3 heads do not divide", b -> b.heads(3));
        assertBad("dataType is DOUBLE", b -> b.dataType(DataType.DOUBLE));
        assertBad("seed is 0", b -> b.seed(0));
    }

    private static void assertBad(String message, UnaryOperator<GptConfiguration.Builder> setting) {
        var e = assertThrows(
                IllegalArgumentException.class, () -> setting.apply(tiny()).build());
        assertTrue(e.getMessage().startsWith(message), e.getMessage());
    }

    @Test
    void layersSayWhatTheyMiss() {
        assertInvalid(
                "needs heads of 1 or more",
                () -> new TransformerBlock.Builder().nIn(8).build());
        assertInvalid(
                "which 3 heads do not divide",
                () -> new TransformerBlock.Builder().nIn(8).heads(3).build());
        assertInvalid(
                "one width",
                () -> new TransformerBlock.Builder().nIn(8).nOut(4).heads(2).build());
        assertInvalid(
                "needs contextLength",
                () -> new GptEmbedding.Builder().nIn(5).nOut(4).build());
        assertInvalid(
                "needs nIn (the vocabulary)",
                () -> new GptEmbedding.Builder().nOut(4).contextLength(3).build());
        assertInvalid(
                "needs nOut (the vocabulary)",
                () -> new GptOutput.Builder().nIn(4).build());
        assertInvalid("SOFTMAX", () -> new GptOutput.Builder()
                .nOut(4)
                .activation(Activation.RELU)
                .build());
        assertInvalid(
                "has a head of its own",
                () -> new TiedHeadVertex(
                        new NeuralNetConfiguration.Builder(),
                        "output",
                        new GptOutput.Builder().nOut(4).build()));
    }

    @Test
    void inputTypesAreChecked() {
        var embedding =
                new GptEmbedding.Builder().nIn(5).nOut(4).contextLength(3).build();
        assertEquals(InputType.recurrent(4, 2, RNNFormat.NWC), embedding.getOutputType(0, InputType.feedForward(2)));
        assertInvalid(
                "has contextLength 3, but its input has 4 tokens",
                () -> embedding.getOutputType(0, InputType.feedForward(4)));
        assertInvalid("takes token ids", () -> embedding.getOutputType(0, InputType.recurrent(4)));
        var block = new TransformerBlock.Builder().heads(2).build();
        assertInvalid("takes sequences", () -> block.setNIn(InputType.recurrent(4), false));
        block.setNIn(InputType.recurrent(4, RNNFormat.NWC), false);
        assertEquals(4, block.getNIn());
        assertEquals(4, block.getNOut());
        assertInvalid(
                "has nIn 4, but its input has width 6",
                () -> block.setNIn(InputType.recurrent(6, RNNFormat.NWC), false));
        var odd = new TransformerBlock.Builder().heads(2).build();
        assertInvalid("which 2 heads do not divide", () -> odd.setNIn(InputType.recurrent(7, RNNFormat.NWC), false));
    }

    @Test
    void whatTheLayersCannotDoIsRefused() {
        var graph = new NeuralNetConfiguration.Builder()
                .dropOut(0.9)
                .graphBuilder()
                .addInputs("tokens")
                .setInputTypes(InputType.feedForward(3))
                .addLayer(
                        "embedding",
                        new GptEmbedding.Builder()
                                .nIn(5)
                                .nOut(4)
                                .contextLength(3)
                                .build(),
                        "tokens")
                .addLayer("output", new GptOutput.Builder().nOut(5).build(), "embedding")
                .setOutputs("output")
                .build();
        assertInvalid("has neither dropout nor weight noise", () -> new ComputationGraph(graph).init());
        var inDouble = tiny().build().toGraph();
        inDouble.setDataType(DataType.DOUBLE);
        assertInvalid("runs in FLOAT or BFLOAT16", () -> new ComputationGraph(inDouble).init());
    }

    @Test
    void aMemoryReportCountsParametersAndWorkingMemory() {
        var configuration = tiny().build();
        var report = configuration.toGraph().getMemoryReport(InputType.feedForward(6));
        long parameters = 0;
        for (var layer : report.getLayerAndVertexReports().values()) {
            parameters += layer.getMemoryBytes(
                    MemoryType.PARAMETERS, 1, MemoryUseMode.TRAINING, CacheMode.NONE, DataType.FLOAT);
        }
        assertEquals(4 * configuration.parameters(), parameters);
        long block = report.getLayerAndVertexReports()
                .get("block0")
                .getMemoryBytes(
                        MemoryType.WORKING_MEMORY_VARIABLE, 1, MemoryUseMode.INFERENCE, CacheMode.NONE, DataType.FLOAT);
        assertEquals(4 * 6 * 15 * 8, block);
    }

    private static void assertInvalid(String message, Runnable action) {
        var e = assertThrows(DL4JInvalidConfigException.class, action::run);
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    private static org.deeplearning4j.nn.conf.layers.Layer layer(ComputationGraphConfiguration graph, String vertex) {
        return ((LayerVertex) graph.getVertices().get(vertex)).getLayerConf().getLayer();
    }
}
