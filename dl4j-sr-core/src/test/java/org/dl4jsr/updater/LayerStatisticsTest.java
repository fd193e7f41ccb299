package org.dl4jsr.updater;

import static org.dl4jsr.updater.TestNetworks.output;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.rounding.WeightWrite;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What layers deliver as gradients of NoOp parameters: it is subtracted in small steps, too, and must not stall. */
@Tag("slow")
class LayerStatisticsTest {

    private static final int WIDTH = 128;
    private static final int ITERATIONS = 300;
    private static final List<Double> DECAYS = List.of(0.9, 0.99, 0.999);

    static Stream<IUpdater> updaters() {
        return Stream.of(
                new SrAdam(),
                SrAdam.builder().weightWrite(WeightWrite.MASTER).build(),
                new StochasticallyRounded(new Sgd(1e-3), 0, WeightWrite.NEAREST));
    }

    /** Mean 10, variance 4: half of the batch is 8, half 12. */
    @ParameterizedTest
    @MethodSource("updaters")
    void runningMeanAndVariance(IUpdater updater) {
        var builder = TestNetworks.builder(updater).graphBuilder().addInputs("in");
        for (double decay : DECAYS) {
            builder.addLayer(
                    "decay " + decay,
                    new BatchNormalization.Builder()
                            .nIn(WIDTH)
                            .nOut(WIDTH)
                            .decay(decay)
                            .useLogStd(false)
                            .build(),
                    "in");
        }
        var configuration = builder.addVertex("all", new MergeVertex(), "decay 0.9", "decay 0.99", "decay 0.999")
                .addLayer("out", output(3 * WIDTH), "all")
                .setOutputs("out")
                .build();
        configuration.setDataType(DataType.BFLOAT16);
        var graph = new ComputationGraph(configuration);
        graph.init();
        INDArray features = Nd4j.create(DataType.FLOAT, 4, WIDTH).assign(8);
        features.getRow(1).assign(12);
        features.getRow(2).assign(12);
        var data = new DataSet(features, Nd4j.create(DataType.FLOAT, 4, TestNetworks.CLASSES));
        for (int i = 0; i < ITERATIONS; i++) {
            graph.fit(data);
        }
        for (double decay : DECAYS) {
            double done = 1 - Math.pow(decay, ITERATIONS);
            assertEquals(10 * done, mean(graph.getParam("decay " + decay + "_mean")), 0.01 * 10, "mean at " + decay);
            assertEquals(1 + 3 * done, mean(graph.getParam("decay " + decay + "_var")), 0.01 * 4, "var at " + decay);
        }
    }

    /** No updater has a part in it. */
    @Test
    void statisticsAlone() {
        MultiLayerNetwork network = TestNetworks.network(
                TestNetworks.builder(new SrAdam())
                        .list()
                        .layer(new BatchNormalization.Builder()
                                .nIn(WIDTH)
                                .nOut(WIDTH)
                                .decay(0.999)
                                .lockGammaBeta(true)
                                .useLogStd(false)
                                .build())
                        .layer(new LossLayer.Builder(LossFunction.MSE).build())
                        .build(),
                DataType.BFLOAT16);
        INDArray features = Nd4j.create(DataType.FLOAT, 2, WIDTH).assign(8);
        features.getRow(1).assign(12);
        for (int i = 0; i < ITERATIONS; i++) {
            network.fit(features, features);
        }
        double done = 1 - Math.pow(0.999, ITERATIONS);
        assertEquals(10 * done, mean(network.getParam("0_mean")), 0.01 * 10);
        assertEquals(1 + 3 * done, mean(network.getParam("0_var")), 0.01 * 4);
    }

    private static double mean(INDArray parameter) {
        return parameter.castTo(DataType.FLOAT).meanNumber().doubleValue();
    }

    /** Each center moves by alpha (center - mean of its class) n / (n + 1) a step, divided by the batch of 2n. */
    @ParameterizedTest
    @MethodSource("updaters")
    void centers(IUpdater updater) {
        double alpha = 1e-2;
        int n = 8;
        var layers = TestNetworks.builder(updater)
                .list()
                .layer(new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(WIDTH)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .alpha(alpha)
                        .lambda(1e-4)
                        .build())
                .build();
        MultiLayerNetwork network = TestNetworks.network(layers, DataType.BFLOAT16);
        INDArray labels = Nd4j.create(DataType.FLOAT, 2 * n, 2);
        for (int i = 0; i < 2 * n; i++) {
            labels.putScalar(i, i % 2, 1);
        }
        var data = new DataSet(Nd4j.ones(DataType.FLOAT, 2 * n, WIDTH), labels);
        for (int i = 0; i < ITERATIONS; i++) {
            network.fit(data);
        }
        double expected = 1 - Math.pow(1 - alpha * n / (n + 1) / (2 * n), ITERATIONS);
        assertEquals(expected, mean(network.getParam("0_cL")), 0.02 * expected);
    }
}
