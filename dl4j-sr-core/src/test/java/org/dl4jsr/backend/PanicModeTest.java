package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.enums.DebugMode;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.exception.ND4JOpProfilerException;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.nd4j.linalg.profiler.ProfilerConfig;

/** ND4J's checks of results and workspaces find what is wrong in BF16 and nothing in what is right. */
class PanicModeTest {

    @AfterEach
    void checkNothing() {
        Nd4j.getExecutioner().setProfilingConfig(ProfilerConfig.builder().build());
        Nd4j.getWorkspaceManager().setDebugMode(DebugMode.DISABLED);
    }

    @Test
    void theOpThatGivesNaNIsNamed() {
        INDArray x = Nd4j.createFromArray(1f, -1f, 2f).castTo(DataType.BFLOAT16);
        INDArray broken = Nd4j.createFromArray(1f, Float.NaN, 2f).castTo(DataType.BFLOAT16);
        Nd4j.getExecutioner()
                .setProfilingConfig(ProfilerConfig.builder().checkForNAN(true).build());
        assertNames("sqrt", () -> Transforms.sqrt(x, true));
        assertNames("log", () -> Transforms.log(x, true));
        assertNames("divide", () -> x.sub(x).div(x.sub(x)));
        assertNames("mul_scalar", () -> x.sub(x).mul(Double.POSITIVE_INFINITY));
        assertNames(
                "log_softmax",
                () -> Nd4j.exec(
                        DynamicCustomOp.builder("log_softmax").addInputs(broken).build()));
        assertNames("matmul", () -> broken.reshape(1, 3).mmul(Nd4j.ones(DataType.BFLOAT16, 3, 2)));
        Transforms.abs(x, true);
    }

    @Test
    @SuppressWarnings("deprecation")
    void theOpThatGivesInfinityIsNamed() {
        Nd4j.getExecutioner().setProfilingMode(OpExecutioner.ProfilingMode.INF_PANIC);
        INDArray x = Nd4j.createFromArray(1f, 0f, 2f).castTo(DataType.BFLOAT16);
        assertNames("divide", () -> Nd4j.onesLike(x).div(x));
        assertNames("log", () -> Transforms.log(x, true));
        assertNames("mul_scalar", () -> x.mul(1e38).mul(1e38));
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void trainingRaisesNoAlarm(DataType type) {
        Nd4j.getExecutioner()
                .setProfilingConfig(ProfilerConfig.builder()
                        .checkForNAN(true)
                        .checkForINF(true)
                        .checkWorkspaces(true)
                        .checkElapsedTime(true)
                        .stackTrace(true)
                        .build());
        train(type, WorkspaceMode.ENABLED);
    }

    @ParameterizedTest
    @EnumSource(
            value = DebugMode.class,
            names = {"DISABLED", "SPILL_EVERYTHING", "BYPASS_EVERYTHING"})
    void workspacesDoNotMatter(DebugMode mode) {
        double expected = train(DataType.BFLOAT16, WorkspaceMode.NONE);
        Nd4j.getWorkspaceManager().setDebugMode(mode);
        assertEquals(expected, train(DataType.BFLOAT16, WorkspaceMode.ENABLED));
    }

    /** The statistics of an array, which ND4J's profiler logs. */
    @Test
    void statistics() {
        INDArray x = Bf16Testing.random(new Random(1), 2000);
        var expected = Nd4j.getExecutioner().inspectArray(x.castTo(DataType.FLOAT));
        var got = Nd4j.getExecutioner().inspectArray(x);
        assertEquals(expected.getMeanValue(), got.getMeanValue(), 1e-7);
        assertEquals(expected.getStdDevValue(), got.getStdDevValue(), 1e-6);
        assertEquals(expected.getCountNegative(), got.getCountNegative());
    }

    private static void assertNames(String op, Runnable run) {
        Throwable thrown = assertThrows(RuntimeException.class, run::run);
        while (!(thrown instanceof ND4JOpProfilerException) && thrown.getCause() != null) {
            thrown = thrown.getCause();
        }
        assertTrue(thrown.getMessage().contains(op), thrown.getMessage());
    }

    /** Returns the score after some steps. */
    private static double train(DataType type, WorkspaceMode workspaces) {
        MultiLayerConfiguration configuration = new NeuralNetConfiguration.Builder()
                .seed(7)
                .updater(new Adam(1e-2))
                .trainingWorkspaceMode(workspaces)
                .inferenceWorkspaceMode(workspaces)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3)
                        .nOut(4)
                        .activation(Activation.RELU)
                        .build())
                .layer(new BatchNormalization.Builder().useLogStd(false).build())
                .layer(new DenseLayer.Builder()
                        .nOut(16)
                        .activation(Activation.TANH)
                        .dropOut(0.8)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .activation(Activation.SOFTMAX)
                        .nOut(3)
                        .build())
                .setInputType(InputType.convolutional(8, 8, 2))
                .build();
        configuration.setDataType(type);
        var network = new MultiLayerNetwork(configuration);
        network.init();
        Nd4j.getRandom().setSeed(3);
        INDArray features = Nd4j.rand(DataType.FLOAT, 6, 2, 8, 8);
        INDArray labels = Nd4j.eye(3).repeat(0, 2);
        for (int i = 0; i < 3; i++) {
            network.fit(new DataSet(features, labels));
        }
        return network.score();
    }
}
