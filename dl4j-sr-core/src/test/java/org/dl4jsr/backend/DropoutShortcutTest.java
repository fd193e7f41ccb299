package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.random.impl.DropOut;
import org.nd4j.linalg.api.ops.random.impl.DropOutInverted;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Dropout of BF16 arrays keeps as many elements as it should, by the seed of ND4J's generator. */
class DropoutShortcutTest {

    private static final int LENGTH = 100_000; // several parts

    @BeforeEach
    void seed() {
        Nd4j.getRandom().setSeed(5);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.5, 0.8, 0.999})
    void keepsTheShareAndScalesIt(double kept) {
        INDArray mask = mask(kept);
        double scale = mask.maxNumber().doubleValue();
        assertEquals(1 / kept, scale, 0x1p-8 / kept);
        double share = mask.sumNumber().doubleValue() / scale / LENGTH;
        assertEquals(kept, share, 4 * Math.sqrt(kept * (1 - kept) / LENGTH));
        assertEquals(LENGTH, mask.eq(0).castTo(DataType.FLOAT).sumNumber().doubleValue() + share * LENGTH, 1e-2);
    }

    @Test
    void isOfTheSeedAndNewEachTime() {
        INDArray first = mask(0.5);
        INDArray second = mask(0.5);
        seed();
        assertEquals(first, mask(0.5));
        assertEquals(0.5, share(first, second), 0.01);
        INDArray moved = Nd4j.toFlattened(
                first.get(NDArrayIndex.interval(1 << 15, LENGTH)), first.get(NDArrayIndex.interval(0, 1 << 15)));
        assertEquals(0.5, share(first, moved), 0.01);
    }

    /** Of elements that are alike. */
    private static double share(INDArray a, INDArray b) {
        return a.eq(b).castTo(DataType.FLOAT).meanNumber().doubleValue();
    }

    @Test
    void dropsWhateverTheValueIs() {
        INDArray x = Nd4j.valueArrayOf(new long[] {400, 50}, Double.NaN, DataType.BFLOAT16)
                .castTo(DataType.BFLOAT16);
        INDArray y = x.ulike();
        Nd4j.getExecutioner().exec(new DropOutInverted(x, y, 0.5));
        assertEquals(0.5, y.isNaN().castTo(DataType.FLOAT).meanNumber().doubleValue(), 0.05);
        assertTrue(x.isNaN().all());
    }

    @Test
    void withoutScaleInAnyOrder() {
        INDArray x =
                Nd4j.valueArrayOf(new long[] {400, 50}, 3, DataType.BFLOAT16).dup('f');
        INDArray y = x.ulike();
        Nd4j.getExecutioner().exec(new DropOut(x, y, 0.25));
        assertEquals(0.75, y.castTo(DataType.FLOAT).meanNumber().doubleValue(), 0.05);
        assertEquals(3, y.maxNumber().doubleValue());
    }

    @Test
    void anotherGeneratorIsThatOneThatDraws() {
        var own = Nd4j.getRandomFactory().getNewRandomInstance(7);
        INDArray first = Nd4j.ones(DataType.BFLOAT16, 5000);
        Nd4j.getExecutioner().exec(new DropOutInverted(first, first, 0.5), own);
        INDArray next = Nd4j.ones(DataType.BFLOAT16, 5000);
        Nd4j.getExecutioner().exec(new DropOutInverted(next, next, 0.5), own);
        assertNotEquals(first, next);
        own.setSeed(7);
        INDArray again = Nd4j.ones(DataType.BFLOAT16, 5000);
        Nd4j.getExecutioner().exec(new DropOutInverted(again, again, 0.5), own);
        assertEquals(first, again);
    }

    @Test
    void trainsAsInFloatAndAgainWithTheSameBits() {
        MultiLayerNetwork narrow = trained(Bf16Policy.SR);
        assertEquals(trained(Bf16Policy.SR).params(), narrow.params());
        double start = network(Bf16Policy.FP32).score(data());
        double wide = trained(Bf16Policy.FP32).score(data());
        assertTrue(wide < 0.5 * start, "FLOAT ends at " + wide);
        assertEquals(wide, narrow.score(data()), 0.05 * start);
    }

    private static MultiLayerNetwork trained(Bf16Policy policy) {
        MultiLayerNetwork network = network(policy);
        for (int i = 0; i < 40; i++) {
            network.fit(data());
        }
        return network;
    }

    private static MultiLayerNetwork network(Bf16Policy policy) {
        var network = new MultiLayerNetwork(policy.apply(new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(1e-2))
                .list(
                        new DenseLayer.Builder()
                                .nIn(8)
                                .nOut(128)
                                .activation(Activation.TANH)
                                .build(),
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .nIn(128)
                                .nOut(2)
                                .dropOut(0.8)
                                .activation(Activation.SOFTMAX)
                                .build())
                .build()));
        network.init();
        return network;
    }

    /** Which of two numbers is greater. */
    private static DataSet data() {
        INDArray features = Nd4j.createFromArray(
                        new Random(2).doubles(64 * 8, -1, 1).toArray())
                .reshape(64, 8)
                .castTo(DataType.FLOAT);
        INDArray first = features.getColumn(0).gt(features.getColumn(1)).castTo(DataType.FLOAT);
        return new DataSet(
                features, Nd4j.vstack(first, first.rsub(1)).transpose().dup());
    }

    private static INDArray mask(double kept) {
        INDArray mask = Nd4j.ones(DataType.BFLOAT16, LENGTH);
        Nd4j.getExecutioner().exec(new DropOutInverted(mask, mask, kept));
        return mask;
    }
}
