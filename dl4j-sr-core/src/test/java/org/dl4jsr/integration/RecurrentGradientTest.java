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
import org.junit.jupiter.api.Test;
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
 * Recurrent layers add each time step's term to their state and to their gradients. All steps are alike here, but for
 * the first few until the state has settled, so that what the additions lose is not hidden by what single terms lose.
 */
@Tag("slow")
class RecurrentGradientTest {

    private static final int BATCH = 4;
    private static final int WIDTH = 8;
    private static final int STEPS = 400;
    /** In the Euclidean norm; that of the output layer's gradient, which is BF16. */
    private static final double TOLERANCE = 0.02;
    /** Of DL4J's own layer, whose every op rounds: a gate, too. */
    private static final double TOLERANCE_OF_OPS = 0.08;

    /** A forget gate near 1, by its bias or by the peephole, has the state grow in small steps. */
    @SuppressWarnings("deprecation") // GravesLSTM, too
    static Stream<Arguments> layersAndModes() {
        var graves = new GravesLSTM.Builder()
                .forgetGateBiasInit(1)
                .nIn(WIDTH)
                .nOut(WIDTH)
                .build();
        var simpleRnn = new SimpleRnn.Builder().nIn(WIDTH).nOut(WIDTH).build();
        return Stream.of(
                Arguments.of(simpleRnn, WorkspaceMode.ENABLED, false),
                Arguments.of(lstm(Activation.SIGMOID), WorkspaceMode.ENABLED, false),
                Arguments.of(lstm(Activation.TANH), WorkspaceMode.ENABLED, false),
                Arguments.of(graves, WorkspaceMode.ENABLED, false),
                Arguments.of(graves, WorkspaceMode.NONE, true));
    }

    private static Layer lstm(Activation activation) {
        return new LSTM.Builder()
                .forgetGateBiasInit(3)
                .activation(activation)
                .nIn(WIDTH)
                .nOut(WIDTH)
                .build();
    }

    @ParameterizedTest
    @MethodSource("layersAndModes")
    void ofManySteps(Layer layer, WorkspaceMode mode, boolean masked) {
        var wide = network(Bf16Policy.FP32.apply(configuration(layer, mode)));
        requireAlike(wide, Bf16Policy.SR.convert(wide), masked, TOLERANCE);
    }

    /** The state grows by a hundredth of what it settles at, then by ever less. */
    @Test
    void nearTheIdentity() {
        var layer = new SimpleRnn.Builder()
                .activation(Activation.IDENTITY)
                .nIn(WIDTH)
                .nOut(WIDTH)
                .build();
        var wide = network(Bf16Policy.FP32.apply(configuration(layer, WorkspaceMode.ENABLED)));
        wide.setParam("0_RW", Nd4j.eye(WIDTH).castTo(DataType.FLOAT).muli(0.9921875));
        requireAlike(wide, Bf16Policy.SR.convert(wide), false, TOLERANCE);
    }

    /** In a network that is BF16 by its data type alone. */
    @Test
    void ofDl4jsOwnLayer() {
        MultiLayerConfiguration configuration = configuration(lstm(Activation.SIGMOID), WorkspaceMode.ENABLED);
        var wide = network(configuration.clone());
        configuration.setDataType(DataType.BFLOAT16);
        var bf16 = new MultiLayerNetwork(configuration);
        bf16.init(wide.params().castTo(DataType.BFLOAT16), false);
        requireAlike(wide, bf16, false, TOLERANCE_OF_OPS);
    }

    private static void requireAlike(MultiLayerNetwork wide, MultiLayerNetwork bf16, boolean masked, double tolerance) {
        wide.setParams(bf16.params().castTo(DataType.FLOAT));
        backward(wide, masked);
        backward(bf16, masked);
        for (String name : new String[] {"W", "RW", "b"}) {
            assertClose(
                    wide.gradient().getGradientFor("0_" + name),
                    bf16.gradient().getGradientFor("0_" + name),
                    tolerance,
                    name);
        }
        assertClose(
                wide.feedForward(features()).get(1),
                bf16.feedForward(features()).get(1),
                tolerance,
                "activations");
    }

    private static void assertClose(INDArray expected, INDArray bf16, double tolerance, String name) {
        double distance = expected.distance2(bf16.castTo(DataType.FLOAT));
        assertEquals(0, distance / expected.norm2Number().doubleValue(), tolerance, name);
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

    private static INDArray features() {
        return Nd4j.linspace(DataType.FLOAT, -1, 2.0 / (BATCH * WIDTH), BATCH * WIDTH)
                .reshape(BATCH, WIDTH, 1)
                .repeat(2, STEPS);
    }

    private static void backward(MultiLayerNetwork network, boolean masked) {
        INDArray labels = Nd4j.zeros(DataType.FLOAT, BATCH, 2, STEPS);
        for (int i = 0; i < BATCH; i++) {
            labels.slice(i).getRow(i % 2).assign(1);
        }
        network.setInput(features());
        network.setLabels(labels);
        if (masked) {
            INDArray all = Nd4j.ones(DataType.FLOAT, BATCH, STEPS);
            network.setLayerMaskArrays(all, all);
        }
        network.computeGradientAndScore();
        network.clearLayerMaskArrays();
    }
}
