package org.dl4jsr.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.Adam;

class InputGradientTest {

    private static final int INPUTS = 7;
    private static final int CLASSES = 3;

    private static MultiLayerNetwork network() {
        var network = new MultiLayerNetwork(Bf16Policy.SR.apply(new NeuralNetConfiguration.Builder()
                .seed(5)
                .trainingWorkspaceMode(WorkspaceMode.NONE)
                .inferenceWorkspaceMode(WorkspaceMode.NONE)
                .updater(new Adam(1e-2))
                .list()
                .layer(new DenseLayer.Builder().nOut(19).build())
                .layer(new OutputLayer.Builder().nOut(CLASSES).build())
                .setInputType(InputType.feedForward(INPUTS))
                .build()));
        network.init();
        return network;
    }

    @Test
    void isThereForWhoeverAsksWhileAnotherNetworkTrains() {
        var data = LayerTesting.data(CLASSES, 6, INPUTS);
        MultiLayerNetwork asked = network();
        INDArray expected = LayerTesting.inputGradient(asked, data);
        assertTrue(expected.norm2Number().doubleValue() > 0);
        INDArray[] got = new INDArray[1];
        MultiLayerNetwork training = network();
        training.setListeners(new BaseTrainingListener() {
            @Override
            public void onBackwardPass(Model model) {
                got[0] = LayerTesting.inputGradient(asked, data);
            }
        });
        training.fit(data);
        assertArrayEquals(LayerTesting.bits(expected), LayerTesting.bits(got[0]));
    }
}
