package org.dl4jsr.benchmarks.families;

import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What most of the networks have around the layers they are about. */
final class Layers {

    private Layers() {}

    static DenseLayer dense(int out) {
        return dense(out, Activation.TANH);
    }

    static DenseLayer dense(int out, Activation activation) {
        return new DenseLayer.Builder().nOut(out).activation(activation).build();
    }

    static OutputLayer classifier() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Tasks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    static RnnOutputLayer stepClassifier() {
        return new RnnOutputLayer.Builder(LossFunction.MCXENT)
                .nOut(Tasks.CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }
}
