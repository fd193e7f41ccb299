package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.NonFiniteGradientException;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Some small batches against the same examples in one: equal but for the order of FP32 sums. */
class AccumulationTest {

    private static final int STEPS = 5;

    @Test
    void stepsOfANetworkAreThoseOfOneLargeBatch() {
        MultiLayerNetwork large = network(Bf16Policy.FP32);
        MultiLayerNetwork accumulated = network(Bf16Policy.FP32);
        INDArray before = large.params().dup();
        var accumulation = new DataParallel(accumulated);
        for (int i = 0; i < STEPS; i++) {
            large.fit(TestNetworks.DATA);
            assertEquals(large.score(), step(accumulation, i, TestNetworks.DATA.batchBy(32)), 1e-5);
        }
        assertEquals(STEPS, accumulated.getIterationCount());
        assertTrue(distance(large.params(), accumulated.params()) < 1e-4 * distance(large.params(), before));
    }

    @Test
    void stepsOfAGraphAreThoseOfOneLargeBatch() {
        ComputationGraph large = network(Bf16Policy.FP32).toComputationGraph();
        ComputationGraph accumulated = network(Bf16Policy.FP32).toComputationGraph();
        INDArray before = large.params().dup();
        var accumulation = new DataParallel(accumulated);
        for (int i = 0; i < STEPS; i++) {
            large.fit(TestNetworks.DATA);
            assertEquals(large.score(), step(accumulation, i, TestNetworks.DATA.batchBy(32)), 1e-5);
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
        var accumulation = new DataParallel(many);
        step(accumulation, 0, Collections.nCopies(64, batch));
        // the mean of equal gradients is the gradient itself: the same bits all the way
        assertEquals(one.params(), many.params());
        assertEquals(one.getUpdater().getStateViewArray(), many.getUpdater().getStateViewArray());
    }

    /** With truncated back-propagation each batch carries its own state from segment to segment. */
    @ParameterizedTest
    @EnumSource
    void masksAndSequencesAreThoseOfTheBatches(BackpropType type) {
        MultiLayerNetwork large = recurrent(type);
        MultiLayerNetwork accumulated = recurrent(type);
        MultiLayerNetwork unmasked = recurrent(type);
        DataSet data = sequences();
        List<DataSet> parts = List.of(part(data, 0, 3), part(data, 3, 6));
        large.fit(data);
        step(new DataParallel(accumulated), 0, parts);
        step(
                new DataParallel(unmasked),
                0,
                parts.stream()
                        .map(batch -> new DataSet(batch.getFeatures(), batch.getLabels()))
                        .toList());
        assertEquals(large.getIterationCount(), accumulated.getIterationCount());
        double error = distance(large.params(), accumulated.params());
        assertTrue(error < 1e-3 * distance(large.params(), unmasked.params()), "error " + error);
    }

    @Test
    void batchesOfSeveralSizesAreRefused() {
        MultiLayerNetwork network = network(Bf16Policy.FP32);
        INDArray before = network.params().dup();
        var accumulation = new DataParallel(network);
        List<DataSet> unequal = List.of(
                TestNetworks.DATA.batchBy(32).get(0),
                TestNetworks.DATA.batchBy(8).get(0));
        assertEquals(
                "A batch of 8 examples in 1 segments after one of 32 in 1: expected batches of one size within a step",
                assertThrows(IllegalArgumentException.class, () -> step(accumulation, 0, unequal))
                        .getMessage());
        assertEquals(before, network.params());
        step(accumulation, 0, unequal.subList(1, 2));
        assertNotEquals(before, network.params());
    }

    @Test
    void aStepThatIsNotFiniteIsSaidToBeOfItsLayer() {
        MultiLayerNetwork network =
                TestNetworks.mlp(SrAdam.builder().maxConsecutiveSkips(1).build(), DataType.BFLOAT16);
        DataSet batch = TestNetworks.DATA.batchBy(8).get(0);
        batch.setFeatures(batch.getFeatures().dup().putScalar(0, 0, Double.NaN));
        var accumulation = new DataParallel(network);
        String message = assertThrows(NonFiniteGradientException.class, () -> step(accumulation, 0, List.of(batch)))
                .getMessage();
        assertTrue(message.startsWith("The gradient of parameter W of layer layer0 (element"), message);
    }

    private static double step(DataParallel training, long step, List<DataSet> parts) {
        return training.step(
                step, parts.size(), (number, part) -> parts.get(part).toMultiDataSet());
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
                .tBPTTLength(2)
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
