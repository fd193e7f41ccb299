package org.dl4jsr.policy;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.profiler.ProfilerConfig;

/** ND4J's checks for NaN, infinity and lost workspaces find nothing in training that is right. */
class PanicModesTest {

    @AfterEach
    void checkNothing() {
        Nd4j.getExecutioner().setProfilingConfig(ProfilerConfig.builder().build());
    }

    /** The state of bf16-o2 is halves of FP32 values, many of which look like NaN. */
    @ParameterizedTest
    @EnumSource(Bf16Policy.class)
    void noFalseAlarm(Bf16Policy policy) {
        var configuration = new NeuralNetConfiguration.Builder()
                .seed(7)
                .updater(new Adam(1e-2))
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(20)
                        .nOut(64)
                        .activation(Activation.TANH)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .activation(Activation.SOFTMAX)
                        .nIn(64)
                        .nOut(4)
                        .build())
                .build();
        var network = new MultiLayerNetwork(policy.apply(configuration));
        network.init();
        var data = new DataSet(Nd4j.rand(DataType.FLOAT, 8, 20), Nd4j.eye(4).repeat(0, 2));
        double before = network.score(data);
        Nd4j.getExecutioner()
                .setProfilingConfig(ProfilerConfig.builder()
                        .checkForNAN(true)
                        .checkForINF(true)
                        .checkWorkspaces(true)
                        .build());
        for (int i = 0; i < 20; i++) {
            network.fit(data);
        }
        assertTrue(network.score(data) < before, policy + " learns");
    }
}
