package org.dl4jsr.updater;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Some small batches against the same examples in one: equal but for the order of FP32 sums. */
class GradientAccumulationTest {

    private static final int STEPS = 5;

    @Test
    void stepsOfANetworkAreThoseOfOneLargeBatch() {
        MultiLayerNetwork large = network(Bf16Policy.FP32);
        MultiLayerNetwork accumulated = network(Bf16Policy.FP32);
        INDArray before = large.params().dup();
        var accumulation = new GradientAccumulation(accumulated);
        for (int i = 0; i < STEPS; i++) {
            large.fit(TestNetworks.DATA);
            TestNetworks.DATA.batchBy(32).forEach(accumulation::add);
            assertEquals(large.score(), accumulation.step(), 1e-5);
        }
        assertEquals(STEPS, accumulated.getIterationCount());
        assertTrue(distance(large.params(), accumulated.params()) < 1e-4 * distance(large.params(), before));
    }

    @Test
    void stepsOfAGraphAreThoseOfOneLargeBatch() {
        ComputationGraph large = network(Bf16Policy.FP32).toComputationGraph();
        ComputationGraph accumulated = network(Bf16Policy.FP32).toComputationGraph();
        INDArray before = large.params().dup();
        var accumulation = new GradientAccumulation(accumulated);
        for (int i = 0; i < STEPS; i++) {
            large.fit(TestNetworks.DATA);
            TestNetworks.DATA.batchBy(32).forEach(accumulation::add);
            assertEquals(large.score(), accumulation.step(), 1e-5);
        }
        assertEquals(STEPS, accumulated.getIterationCount());
        assertTrue(distance(large.params(), accumulated.params()) < 1e-4 * distance(large.params(), before));
    }

    /** 64 gradients that BF16 would stop adding up: each is below half an ulp of the sum of the first ones. */
    @Test
    void sumsAreFp32() {
        MultiLayerNetwork one = network(Bf16Policy.SR);
        MultiLayerNetwork many = network(Bf16Policy.SR);
        DataSet batch = TestNetworks.DATA.batchBy(2).get(0);
        one.fit(batch);
        var accumulation = new GradientAccumulation(many);
        for (int i = 0; i < 64; i++) {
            accumulation.add(batch);
        }
        accumulation.step();
        // the mean of equal gradients is the gradient itself: the same bits all the way
        assertEquals(one.params(), many.params());
        assertEquals(one.getUpdater().getStateViewArray(), many.getUpdater().getStateViewArray());
    }

    @Test
    void masksAreThoseOfTheBatches() {
        MultiLayerNetwork large = recurrent(BackpropType.Standard);
        MultiLayerNetwork accumulated = recurrent(BackpropType.Standard);
        MultiLayerNetwork unmasked = recurrent(BackpropType.Standard);
        DataSet data = sequences();
        var accumulation = new GradientAccumulation(accumulated);
        var withoutMasks = new GradientAccumulation(unmasked);
        large.fit(data);
        for (DataSet batch : List.of(part(data, 0, 3), part(data, 3, 6))) {
            accumulation.add(batch);
            withoutMasks.add(new DataSet(batch.getFeatures(), batch.getLabels()));
        }
        accumulation.step();
        withoutMasks.step();
        double error = distance(large.params(), accumulated.params());
        assertTrue(error < 1e-3 * distance(large.params(), unmasked.params()), "error " + error);
    }

    @Test
    void whatCannotBeOneStepIsRefused() {
        var accumulation = new GradientAccumulation(network(Bf16Policy.FP32));
        assertTrue(assertThrows(IllegalStateException.class, accumulation::step)
                .getMessage()
                .contains("add a batch first"));
        accumulation.add(TestNetworks.DATA.batchBy(32).get(0));
        DataSet smaller = TestNetworks.DATA.batchBy(8).get(0);
        assertEquals(
                "A batch of 8 examples after one of 32: expected batches of one size within a step",
                assertThrows(IllegalArgumentException.class, () -> accumulation.add(smaller))
                        .getMessage());
        accumulation.step();
        accumulation.add(smaller);
        MultiLayerNetwork truncated = recurrent(BackpropType.TruncatedBPTT);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new GradientAccumulation(truncated))
                .getMessage()
                .startsWith("Backpropagation is TruncatedBPTT, expected Standard"));
    }

    private static MultiLayerNetwork network(Bf16Policy policy) {
        var configuration = TestNetworks.builder(new Adam(1e-2))
                .list()
                .layer(TestNetworks.dense(TestNetworks.INPUTS, 24))
                .layer(TestNetworks.output(24))
                .build();
        var network = new MultiLayerNetwork(policy.apply(configuration));
        network.init();
        return network;
    }

    private static MultiLayerNetwork recurrent(BackpropType backpropType) {
        var network = new MultiLayerNetwork(TestNetworks.builder(new Sgd(0.1))
                .list()
                .layer(new LSTM.Builder().nOut(8).build())
                .layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(TestNetworks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.recurrent(TestNetworks.INPUTS))
                .backpropType(backpropType)
                .build());
        network.init();
        return network;
    }

    /** Features [6, inputs, 5], labels [6, classes, 5], masks [6, 5]: the last steps of some are not there. */
    private static DataSet sequences() {
        INDArray features = Nd4j.rand(DataType.FLOAT, 6, TestNetworks.INPUTS, 5);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, 6, TestNetworks.CLASSES, 5);
        INDArray mask = Nd4j.ones(DataType.FLOAT, 6, 5);
        for (int example = 0; example < 6; example++) {
            for (int time = 0; time < 5; time++) {
                labels.putScalar(example, (example + time) % TestNetworks.CLASSES, time, 1);
                mask.putScalar(example, time, time < 5 - example % 4 ? 1 : 0);
            }
        }
        return new DataSet(features, labels, mask, mask.dup());
    }

    private static DataSet part(DataSet data, int from, int to) {
        return (DataSet) data.getRange(from, to);
    }

    private static double distance(INDArray a, INDArray b) {
        return a.sub(b).norm2Number().doubleValue();
    }
}
