package org.dl4jsr.updater;

import static org.dl4jsr.updater.TestNetworks.INPUTS;
import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.dense;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.dl4jsr.updater.TestNetworks.output;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;

class RoundingStatsListenerTest {

    private final List<RoundingStats> seen = new ArrayList<>();

    private static MultiLayerNetwork network() {
        return TestNetworks.mlp(
                SrAdam.builder().learningRate(2e-4).maxGradientNorm(0.01).build(), DataType.BFLOAT16);
    }

    @Test
    void statisticsAreThoseOfTheStep() {
        var network = network();
        network.setListeners(new RoundingStatsListener(1, seen::add));
        float[] before = bits(network.params());
        fit(network, 1);
        float[] after = bits(network.params());
        RoundingStats stats = seen.get(0);
        assertEquals(0, stats.iteration());
        assertEquals(0, stats.skippedSteps());
        assertTrue(stats.clipScale() < 1);
        assertEquals(
                List.of("layer0", "layer1", "layer2"),
                stats.layers().stream().map(RoundingStats.Layer::name).toList());
        int start = 0;
        INDArray gradient = network.getFlattenedGradients().reshape(before.length);
        for (RoundingStats.Layer layer : stats.layers()) {
            int moved = 0;
            double weights = 0;
            double gradients = 0;
            float[] g = bits(gradient.get(NDArrayIndex.interval(start, start + layer.weights())));
            for (int i = 0; i < layer.weights(); i++) {
                moved += before[start + i] != after[start + i] ? 1 : 0;
                weights += before[start + i] * before[start + i];
                gradients += g[i] * g[i];
            }
            assertEquals(moved / (double) layer.weights(), layer.moved());
            assertTrue(layer.lost() > 0.5 && layer.lost() < 1, () -> layer + " at a low learning rate");
            assertEquals(Math.sqrt(gradients), layer.gradientNorm(), 1e-3 * layer.gradientNorm());
            // the first step of Adam moves every weight by the learning rate
            assertEquals(2e-4 / Math.sqrt(weights / layer.weights()), layer.updateRatio(), 0.02 * layer.updateRatio());
            start += (int) layer.weights();
        }
        assertEquals(before.length, start);
        assertEquals(before.length, stats.total().weights());
        assertEquals(stats.gradientNorm(), stats.total().gradientNorm(), 1e-6 * stats.gradientNorm());
    }

    @Test
    void listeningChangesNothing() {
        var quiet = network();
        var heard = network();
        heard.setListeners(new RoundingStatsListener(2, seen::add), new RoundingStatsListener(3));
        fit(quiet, 7);
        fit(heard, 7);
        assertArrayEquals(bits(quiet.params()), bits(heard.params()));
        assertEquals(
                List.of(0, 2, 4, 6), seen.stream().map(RoundingStats::iteration).toList());
        assertTrue(seen.stream().allMatch(stats -> stats.layers().size() == 3));
    }

    @Test
    void graphsAreHeardToo() {
        var graph = TestNetworks.graph(new SrAdam(1e-3), DataType.BFLOAT16);
        graph.setListeners(new RoundingStatsListener(1, seen::add));
        fit(graph, 2);
        assertEquals(
                List.of("first", "second", "out"),
                seen.get(1).layers().stream().map(RoundingStats.Layer::name).toList());
    }

    @Test
    void layersOfOtherUpdatersAreLeftOut() {
        var first = dense(INPUTS, 8);
        first.setIUpdater(new Sgd(0.1));
        var network = TestNetworks.network(
                TestNetworks.builder(new SrAdam(1e-3))
                        .list()
                        .layer(first)
                        .layer(dense(8, 8))
                        .layer(output(8))
                        .build(),
                DataType.BFLOAT16);
        network.setListeners(new RoundingStatsListener(1, seen::add));
        fit(network, 1);
        assertEquals(
                List.of("layer1", "layer2"),
                seen.get(0).layers().stream().map(RoundingStats.Layer::name).toList());
    }

    @Test
    void aSkippedStepIsReportedWithoutLayers() {
        var network = network();
        network.setListeners(new RoundingStatsListener(1, seen::add));
        INDArray features = TestNetworks.DATA.getFeatures().dup();
        features.putScalar(0, Double.NaN);
        network.fit(new DataSet(features, TestNetworks.DATA.getLabels()));
        assertEquals(1, seen.get(0).skippedSteps());
        assertEquals(List.of(), seen.get(0).layers());
        assertEquals(0, seen.get(0).total().weights());
        fit(network, 1);
        assertEquals(3, seen.get(1).layers().size());
    }

    @Test
    void badIntervalsAreNamed() {
        var error = assertThrows(IllegalArgumentException.class, () -> new RoundingStatsListener(0));
        assertEquals("every is 0, expected 1 or more iterations", error.getMessage());
    }
}
