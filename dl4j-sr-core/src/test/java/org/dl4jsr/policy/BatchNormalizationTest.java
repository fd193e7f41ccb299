package org.dl4jsr.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jsr.updater.SrAdam;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A network with batch normalization is at inference what it is in FLOAT. */
@Tag("slow")
class BatchNormalizationTest {

    private static final int WIDTH = 16;
    private static final Map<IUpdater, MultiLayerNetwork> FLOAT = new HashMap<>();

    static Stream<Arguments> policiesAndUpdaters() {
        return Stream.of(Bf16Policy.SR, Bf16Policy.O2, Bf16Policy.KAHAN, Bf16Policy.NEAREST)
                .flatMap(policy -> Stream.of(new Adam(1e-2), new Nesterovs(0.05, 0.9))
                        .map(updater -> Arguments.of(policy, updater)));
    }

    /** DL4J's default, the logarithm of the deviation, in FLOAT. */
    private static MultiLayerConfiguration configuration(IUpdater updater) {
        return new NeuralNetConfiguration.Builder()
                .seed(7)
                .updater(updater.clone())
                .list()
                .layer(new BatchNormalization.Builder()
                        .nIn(WIDTH)
                        .nOut(WIDTH)
                        .decay(0.98)
                        .build())
                .layer(new DenseLayer.Builder()
                        .nIn(WIDTH)
                        .nOut(32)
                        .activation(Activation.RELU)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(32)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
    }

    private static MultiLayerNetwork trained(MultiLayerConfiguration configuration) {
        var network = new MultiLayerNetwork(configuration);
        network.init();
        var random = new Random(3);
        for (int i = 0; i < 300; i++) {
            network.fit(data(random, 32));
        }
        return network;
    }

    /** Features N(10, 1); the class is whether the sum of two lies above 20. */
    private static DataSet data(Random random, int size) {
        INDArray features = Nd4j.create(DataType.FLOAT, size, WIDTH);
        INDArray labels = Nd4j.create(DataType.FLOAT, size, 2);
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < WIDTH; j++) {
                features.putScalar(i, j, 10 + random.nextGaussian());
            }
            labels.putScalar(i, features.getDouble(i, 0) + features.getDouble(i, 1) > 20 ? 1 : 0, 1);
        }
        return new DataSet(features, labels);
    }

    private static double accuracy(MultiLayerNetwork network, DataSet data) {
        INDArray output = network.output(data.getFeatures()).castTo(DataType.FLOAT);
        return output.argMax(1)
                .eq(data.getLabels().argMax(1))
                .castTo(DataType.FLOAT)
                .meanNumber()
                .doubleValue();
    }

    private static double mean(INDArray parameter) {
        return parameter.castTo(DataType.FLOAT).meanNumber().doubleValue();
    }

    @ParameterizedTest
    @MethodSource("policiesAndUpdaters")
    void inferenceAsInFloat(Bf16Policy policy, IUpdater updater) {
        DataSet test = data(new Random(4), 1000);
        var wide = FLOAT.computeIfAbsent(updater, key -> trained(configuration(key)));
        var bf16 = trained(policy.apply(configuration(updater)));
        assertEquals(wide.score(test), bf16.score(test), 0.05, "loss");
        assertEquals(accuracy(wide, test), accuracy(bf16, test), 0.05, "accuracy"); // of 1,000 examples
        assertEquals(mean(wide.getParam("0_mean")), mean(bf16.getParam("0_mean")), 0.1);
        assertEquals(1, mean(bf16.getParam("0_var")), 0.1);
    }

    @Test
    void convertedNetworksKeepTheirVariance() {
        var wide = trained(configuration(new Adam(1e-2)));
        DataSet test = data(new Random(4), 200);
        var bf16 = Bf16Policy.SR.convert(wide);
        float[] variance =
                bf16.getParam("0_var").castTo(DataType.FLOAT).dup().data().asFloat();
        float[] logarithm = wide.getParam("0_log10stdev").dup().data().asFloat();
        for (int i = 0; i < WIDTH; i++) {
            double expected = Math.pow(10, 2 * logarithm[i]);
            assertEquals(expected, variance[i], expected / 256);
        }
        assertEquals(wide.score(test), bf16.score(test), 0.02);
    }

    /** Transfer learning of graphs sets all that a layer's configuration lists, which the logarithm no longer is. */
    @Test
    void convertedGraphsCanBeFineTuned() {
        var wide = new MultiLayerNetwork(configuration(new Adam(1e-2)));
        wide.init();
        ComputationGraph bf16 = Bf16Policy.SR.convert(wide.toComputationGraph());
        assertEquals(
                List.of("gamma", "beta", "mean", "var"), bf16.getLayer("0").conf().variables());
        ComputationGraph tuned = new TransferLearning.GraphBuilder(bf16)
                .fineTuneConfiguration(new FineTuneConfiguration.Builder()
                        .updater(new Adam(1e-3))
                        .build())
                .setFeatureExtractor("0")
                .nOutReplace("2", 3, WeightInit.XAVIER)
                .build();
        assertEquals(
                bf16.getParam("0_mean").castTo(DataType.FLOAT),
                tuned.getParam("0_mean").castTo(DataType.FLOAT));
        assertEquals(
                bf16.getParam("1_W").castTo(DataType.FLOAT),
                tuned.getParam("1_W").castTo(DataType.FLOAT));
    }

    /** DL4J's default, in a BF16 network that no policy has seen. */
    @Test
    void theLogarithmIsRefused() {
        var configuration = configuration(new SrAdam());
        configuration.setDataType(DataType.BFLOAT16);
        var network = new MultiLayerNetwork(configuration);
        network.init();
        INDArray weights = network.params().dup();
        var error = assertThrows(UnsupportedOperationException.class, () -> network.fit(data(new Random(3), 32)));
        assertTrue(error.getMessage().contains("useLogStd(false)"), error::getMessage);
        assertEquals(weights, network.params());
    }
}
