package org.dl4jsr.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Recurrent layers add each time step's term to their gradients. All steps are alike here, but for the first few until
 * the state has settled, so that what the additions lose is not hidden by what single terms lose.
 */
@Tag("slow")
class RecurrentGradientTest {

    private static final int BATCH = 4;
    private static final int WIDTH = 8;
    private static final int STEPS = 400;
    /** In the Euclidean norm; 20 steps are off by 0.02, from the roundings within each. */
    private static final double TOLERANCE = 0.05;

    @SuppressWarnings("deprecation") // GravesLSTM, too
    static Stream<Arguments> layersAndModes() {
        return Stream.of(
                        new SimpleRnn.Builder().nIn(WIDTH).nOut(WIDTH).build(),
                        new LSTM.Builder()
                                .forgetGateBiasInit(0)
                                .nIn(WIDTH)
                                .nOut(WIDTH)
                                .build(),
                        new GravesLSTM.Builder()
                                .forgetGateBiasInit(0)
                                .nIn(WIDTH)
                                .nOut(WIDTH)
                                .build())
                .flatMap(layer ->
                        Stream.of(WorkspaceMode.ENABLED, WorkspaceMode.NONE).map(mode -> Arguments.of(layer, mode)));
    }

    @ParameterizedTest
    @MethodSource("layersAndModes")
    void ofManySteps(Layer layer, WorkspaceMode mode) {
        var wide = network(Bf16Policy.FP32.apply(configuration(layer, mode)));
        var bf16 = Bf16Policy.SR.convert(wide);
        wide.setParams(bf16.params().castTo(DataType.FLOAT));
        backward(wide);
        backward(bf16);
        for (String name : new String[] {"W", "RW", "b"}) {
            INDArray expected = wide.gradient().getGradientFor("0_" + name);
            INDArray actual = bf16.gradient().getGradientFor("0_" + name).castTo(DataType.FLOAT);
            assertEquals(0, expected.distance2(actual) / expected.norm2Number().doubleValue(), TOLERANCE, name);
        }
    }

    private static MultiLayerConfiguration configuration(Layer layer, WorkspaceMode mode) {
        return new NeuralNetConfiguration.Builder()
                .seed(5)
                .updater(new Adam())
                .trainingWorkspaceMode(mode)
                .inferenceWorkspaceMode(mode)
                .list()
                .layer(layer.clone())
                .layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(WIDTH)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
    }

    private static MultiLayerNetwork network(MultiLayerConfiguration configuration) {
        var network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    private static void backward(MultiLayerNetwork network) {
        INDArray features = Nd4j.linspace(DataType.FLOAT, -1, 2.0 / (BATCH * WIDTH), BATCH * WIDTH)
                .reshape(BATCH, WIDTH, 1)
                .repeat(2, STEPS);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, BATCH, 2, STEPS);
        for (int i = 0; i < BATCH; i++) {
            labels.slice(i).getRow(i % 2).assign(1);
        }
        network.setInput(features);
        network.setLabels(labels);
        network.computeGradientAndScore();
    }
}
