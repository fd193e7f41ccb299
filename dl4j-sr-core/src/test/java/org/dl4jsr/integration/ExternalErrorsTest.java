package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.dense;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;

/** Networks without a loss: the user hands the error in, calls the updater and subtracts its update. */
class ExternalErrorsTest {

    private static final int ITERATIONS = 60;

    static Stream<IUpdater> updaters() {
        return Stream.of(new Adam(5e-3), new Nesterovs(0.05, 0.9));
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void layerNetworks(IUpdater updater) {
        assertLearns(errorOfNetwork(updater, Bf16Policy.FP32), errorOfNetwork(updater, Bf16Policy.SR));
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void graphs(IUpdater updater) {
        assertLearns(errorOfGraph(updater, Bf16Policy.FP32), errorOfGraph(updater, Bf16Policy.SR));
    }

    /** The error starts above 1. */
    private static void assertLearns(double wide, double narrow) {
        assertTrue(wide < 0.65, () -> "FLOAT ends at " + wide);
        assertEquals(wide, narrow, 0.01);
    }

    private static double errorOfNetwork(IUpdater updater, Bf16Policy policy) {
        var network = new MultiLayerNetwork(policy.apply(TestNetworks.builder(updater.clone())
                .list()
                .layer(dense(TestNetworks.INPUTS, 32))
                .layer(dense(32, TestNetworks.CLASSES))
                .build()));
        network.init();
        double size = 0;
        for (int i = 0; i < ITERATIONS; i++) {
            network.setInput(DATA.getFeatures());
            INDArray error = error(network.feedForward(true, false).get(2));
            Gradient gradient = network.backpropGradient(error, null).getFirst();
            network.getUpdater().update(network, gradient, i, 0, 1, LayerWorkspaceMgr.noWorkspaces());
            network.params().subi(gradient.gradient());
            size = size(error);
        }
        return size;
    }

    private static double errorOfGraph(IUpdater updater, Bf16Policy policy) {
        var graph = new ComputationGraph(policy.apply(TestNetworks.builder(updater.clone())
                .graphBuilder()
                .addInputs("in")
                .addLayer("hidden", dense(TestNetworks.INPUTS, 32), "in")
                .addLayer("out", dense(32, TestNetworks.CLASSES), "hidden")
                .setOutputs("out")
                .build()));
        graph.init();
        double size = 0;
        for (int i = 0; i < ITERATIONS; i++) {
            INDArray error = error(graph.feedForward(new INDArray[] {DATA.getFeatures()}, true, false)
                    .get("out"));
            Gradient gradient = graph.backpropGradient(error);
            graph.getUpdater().update(gradient, i, 0, 1, LayerWorkspaceMgr.noWorkspaces());
            graph.params().subi(gradient.gradient());
            size = size(error);
        }
        return size;
    }

    /** The gradient of half the mean squared distance between output and labels, in FLOAT. */
    private static INDArray error(INDArray output) {
        return output.castTo(DataType.FLOAT).sub(DATA.getLabels()).div(DATA.numExamples());
    }

    /** The root of that mean squared distance. */
    private static double size(INDArray error) {
        return error.norm2Number().doubleValue() * Math.sqrt(DATA.numExamples());
    }
}
