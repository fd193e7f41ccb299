package org.dl4jsr.nn;

import static org.dl4jsr.nn.TestNetworks.TOKENS;
import static org.dl4jsr.nn.TestNetworks.data;
import static org.dl4jsr.nn.TestNetworks.gradient;
import static org.dl4jsr.nn.TestNetworks.ints;
import static org.dl4jsr.nn.TestNetworks.lively;
import static org.dl4jsr.nn.TestNetworks.network;
import static org.dl4jsr.nn.TestNetworks.tiny;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.exception.DL4JInvalidInputException;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jsr.kernel.Memory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.learning.regularization.L2Regularization;

/** Whole networks: how they start, train, save, copy and predict. */
@Tag("slow")
class GptNetworkTest {

    private static final String TEXT = "the quick brown fox jumps over the lazy dog; the dog sleeps.";

    /** Products on AMX lose half of their speed for each factor that does not. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void matricesAndTheirGradientsStartAtLinesOfTheCache(boolean tied) {
        var net = network(GptConfiguration.builder()
                .layers(2)
                .width(32)
                .heads(2)
                .context(8)
                .vocabulary(64)
                .tiedHead(tied)
                .dataType(DataType.BFLOAT16)
                .build());
        net.initGradientsView();
        long gradients = net.getFlattenedGradients().data().addressPointer().address();
        assertEquals(0, gradients % Memory.ALIGNMENT);
        long first = net.params().data().addressPointer().address();
        net.paramTable().forEach((name, values) -> {
            if (values.rank() == 2) { // gradients lie as parameters do
                long offset = values.data().addressPointer().address() - first;
                assertEquals(0, (gradients + offset) % Memory.ALIGNMENT, name);
                assertEquals(0, (first + offset) % Memory.ALIGNMENT, name);
            }
        });
    }

    @ParameterizedTest
    @CsvSource({"FLOAT, false", "FLOAT, true", "BFLOAT16, false", "BFLOAT16, true"})
    void learnsAShortTextByHeart(DataType type, boolean tied) {
        byte[] text = TEXT.getBytes(StandardCharsets.US_ASCII);
        int time = text.length - 1;
        int[][] tokens = new int[1][time];
        int[][] labels = new int[1][time];
        for (int i = 0; i < time; i++) {
            tokens[0][i] = text[i];
            labels[0][i] = text[i + 1];
        }
        var net = network(GptConfiguration.builder()
                .layers(2)
                .width(32)
                .heads(2)
                .context(time)
                .vocabulary(128)
                .tiedHead(tied)
                .dataType(type)
                .updater(new Adam(5e-3))
                .build());
        var data = new DataSet(ints(tokens), ints(labels));
        assertTrue(Math.abs(net.score(data) - Math.log(128)) < 0.2, "starts at " + net.score(data));
        for (int i = 0; i < 150; i++) {
            net.fit(data);
        }
        assertTrue(net.score(data) < 0.1, "loss is " + net.score(data));
        INDArray predicted =
                net.output(data.getFeatures())[0].castTo(DataType.FLOAT).argMax(2);
        assertEquals(data.getLabels().castTo(DataType.INT64), predicted);
    }

    @Test
    void startsAsGpt2() {
        var net = network(GptConfiguration.builder()
                .layers(8)
                .width(64)
                .heads(2)
                .context(32)
                .vocabulary(300)
                .build());
        net.paramTable().forEach((name, values) -> {
            double deviation = values.stdNumber().doubleValue();
            double mean = values.meanNumber().doubleValue();
            if (name.endsWith("Gain")) {
                assertEquals(values.length(), values.sumNumber().doubleValue());
            } else if (values.rank() == 1) {
                assertEquals(0, values.amaxNumber().doubleValue(), name);
            } else {
                boolean residual = name.endsWith("projection") || name.endsWith("contract");
                double expected = residual ? 0.02 / 4 : 0.02;
                double error = expected / Math.sqrt(values.length());
                assertEquals(0, mean, 5 * error, name);
                assertEquals(expected, deviation, 5 * error, name);
            }
        });
    }

    @Test
    void theSeedDecidesTheStart() {
        INDArray first = network(tiny().seed(3).build()).params();
        assertEquals(first, network(tiny().seed(3).build()).params());
        assertNotEquals(first, network(tiny().seed(4).build()).params());
        INDArray bfloat16 =
                network(tiny().seed(3).dataType(DataType.BFLOAT16).build()).params();
        assertEquals(first.castTo(DataType.BFLOAT16), bfloat16);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void workspacesChangeNoBit(DataType type) {
        var configuration = tiny().dataType(type).updater(new Adam(1e-2)).build();
        var with = network(configuration, WorkspaceMode.ENABLED);
        var without = network(configuration, WorkspaceMode.NONE);
        for (int i = 0; i < 5; i++) {
            with.fit(data());
            without.fit(data());
            assertEquals(without.score(), with.score());
        }
        assertEquals(without.params(), with.params());
        assertEquals(without.output(ints(TOKENS))[0], with.output(ints(TOKENS))[0]);
        assertEquals(without.score(data()), with.score(data()));
        assertEquals(without.scoreExamples(data(), false), with.scoreExamples(data(), false));
    }

    /** Large enough for every kernel and product to run on all threads. */
    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void trainingRepeatsBitForBit(DataType type) {
        var configuration = GptConfiguration.builder()
                .layers(2)
                .width(128)
                .heads(2)
                .context(64)
                .vocabulary(128)
                .dataType(type)
                .updater(new Adam(1e-2))
                .build();
        var random = new Random(1);
        var tokens = new int[8][64];
        for (int[] sequence : tokens) {
            Arrays.setAll(sequence, i -> random.nextInt(128));
        }
        var data = new DataSet(ints(tokens), ints(tokens));
        float[][] results = new float[2][];
        for (int run = 0; run < results.length; run++) {
            var net = network(configuration);
            for (int step = 0; step < 3; step++) {
                net.fit(data);
            }
            results[run] = net.params().castTo(DataType.FLOAT).ravel().toFloatVector();
        }
        assertArrayEquals(results[0], results[1]);
    }

    /** DL4J's clones count their iterations from 0, which Adam would see: hence momentum. */
    @ParameterizedTest
    @CsvSource({"FLOAT, false", "FLOAT, true", "BFLOAT16, true"})
    void savedRestoredAndClonedNetworksGoOnAlike(DataType type, boolean tied) throws IOException {
        var net = network(
                tiny().tiedHead(tied).dataType(type).updater(new Nesterovs(0.1)).build());
        for (int i = 0; i < 3; i++) {
            net.fit(data());
        }
        var bytes = new ByteArrayOutputStream();
        ModelSerializer.writeModel(net, bytes, true);
        var restored = ModelSerializer.restoreComputationGraph(new ByteArrayInputStream(bytes.toByteArray()));
        var clone = net.clone();
        assertEquals(type, restored.params().dataType());
        for (var copy : new ComputationGraph[] {restored, clone}) {
            assertEquals(
                    net.getConfiguration().getVertices(),
                    copy.getConfiguration().getVertices());
            assertEquals(net.params(), copy.params());
            assertEquals(net.output(ints(TOKENS))[0], copy.output(ints(TOKENS))[0]);
        }
        net.fit(data());
        restored.fit(data());
        clone.fit(data());
        assertEquals(net.params(), restored.params());
        assertEquals(net.params(), clone.params());
    }

    @Test
    void aTiedHeadFollowsTheTokenTable() {
        var net = lively(tiny().tiedHead(true).build());
        var copy = net.clone();
        INDArray before = net.output(ints(TOKENS))[0];
        // token 6 is no input: only the head sees its row
        copy.getLayer("embedding").getParam(GptEmbedding.TOKENS).getRow(6).addi(1);
        int[][] others = {{3, 1, 4, 1, 5}};
        assertNotEquals(net.output(ints(others))[0], copy.output(ints(others))[0]);
        assertEquals(before, net.output(ints(TOKENS))[0]);
    }

    @Test
    void outputIsProbabilitiesOfEachNextToken() {
        var net = lively(tiny().build());
        INDArray output = net.output(ints(TOKENS))[0];
        assertEquals(7, output.size(2));
        assertEquals(3 * 5, output.sumNumber().doubleValue(), 1e-4);
        assertTrue(output.minNumber().doubleValue() > 0);
        int[] predicted = ((GptOutputLayer) net.getOutputLayer(0))
                .predict(net.feedForward(new INDArray[] {ints(TOKENS)}, false).get("block1"));
        assertEquals(
                output.argMax(2).reshape(-1), Nd4j.createFromArray(predicted).castTo(DataType.INT64));
    }

    /** What comes later in a sequence, and how long it is, changes nothing before. */
    @Test
    void thePastDoesNotSeeTheFuture() {
        var net = lively(tiny().build());
        INDArray whole = net.output(ints(TOKENS))[0];
        for (int time = 1; time < 5; time++) {
            INDArray start = ints(TOKENS).get(NDArrayIndex.all(), NDArrayIndex.interval(0, time));
            INDArray expected = whole.get(NDArrayIndex.all(), NDArrayIndex.interval(0, time), NDArrayIndex.all());
            assertTrue(expected.equalsWithEps(net.output(start)[0], 1e-6), "time " + time);
        }
    }

    @Test
    void shortAndLongBatchesAlternate() {
        var net = network(tiny().updater(new Sgd(0.1)).build());
        var alone = network(tiny().updater(new Sgd(0.1)).build());
        var single = new DataSet(ints(new int[][] {{2, 3}}), ints(new int[][] {{3, 1}}));
        for (int i = 0; i < 6; i++) {
            net.fit(data());
            net.fit(single);
        }
        var configuration = net.getConfiguration();
        assertEquals(WorkspaceMode.ENABLED, configuration.getTrainingWorkspaceMode());
        for (int i = 0; i < 6; i++) {
            alone.setParams(alone.params().sub(gradient(alone, data()).mul(0.1)));
            alone.setParams(alone.params().sub(gradient(alone, single).mul(0.1)));
        }
        assertTrue(alone.params().equalsWithEps(net.params(), 1e-5));
    }

    @ParameterizedTest
    @ValueSource(strings = {"FLOAT", "LONG", "SHORT", "DOUBLE"})
    void idsOfAnyTypeAndOrder(DataType type) {
        var net = lively(tiny().build());
        INDArray expected = net.output(ints(TOKENS))[0];
        double score = net.score(data());
        var other = new DataSet(
                ints(TOKENS).castTo(type).dup('f'),
                data().getLabels().castTo(type).dup('f'));
        assertEquals(expected, net.output(other.getFeatures())[0]);
        assertEquals(score, net.score(other));
    }

    @Test
    void idsFromTheMiddleOfALargerArray() {
        var net = lively(tiny().build());
        INDArray larger = Nd4j.concat(0, Nd4j.valueArrayOf(new long[] {2, 5}, 6, DataType.INT32), ints(TOKENS));
        INDArray rows = larger.get(NDArrayIndex.interval(2, 5), NDArrayIndex.all());
        assertEquals(ints(TOKENS), rows);
        assertEquals(net.output(ints(TOKENS))[0], net.output(rows)[0]);
        INDArray outOfRange = Nd4j.concat(0, ints(TOKENS), Nd4j.valueArrayOf(new long[] {1, 5}, 9, DataType.INT32));
        net.output(outOfRange.get(NDArrayIndex.interval(1, 3), NDArrayIndex.all()));
        assertThrows(
                DL4JInvalidInputException.class,
                () -> net.output(outOfRange.get(NDArrayIndex.interval(2, 4), NDArrayIndex.all())));
    }

    @Test
    void scoresOfExamplesAverageToTheScore() {
        var net = lively(tiny().build());
        INDArray scores = net.scoreExamples(data(), false);
        assertEquals(3, scores.size(0));
        assertEquals(net.score(data()), scores.meanNumber().doubleValue(), 1e-6);
        assertFalse(scores.getDouble(0) == scores.getDouble(1));
    }

    @Test
    void regularizationIsPartOfTheScore() {
        var configuration = tiny().build();
        var graph = configuration.toGraph();
        var plain = lively(configuration);
        for (var vertex : graph.getVertices().values()) {
            var layer = (GptLayer) ((LayerVertex) vertex).getLayerConf().getLayer();
            layer.setRegularization(List.of(new L2Regularization(0.5)));
        }
        var regularized = network(graph);
        regularized.setParams(plain.params());
        double squares = 0;
        for (var values : plain.paramTable().values()) {
            squares += values.rank() == 2 ? Math.pow(values.norm2Number().doubleValue(), 2) : 0;
        }
        assertEquals(plain.score(data()) + 0.5 * 0.5 * squares, regularized.score(data()), 1e-3);
    }
}
