package org.dl4jsr.integration;

import java.util.Random;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.updater.TestNetworks;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A convolutional and a recurrent BF16 network with their data. */
public final class SmallNetworks {

    public static final DataSet IMAGES =
            new DataSet(gaussian(8, 2, 10, 10), classes(8, 1).reshape(8, 3));
    public static final DataSet SEQUENCES = new DataSet(gaussian(4, 5, 6), classes(4, 6));

    private SmallNetworks() {}

    public static MultiLayerNetwork convolutional(IUpdater updater) {
        return TestNetworks.network(
                TestNetworks.builder(updater)
                        .list()
                        .layer(new ConvolutionLayer.Builder(3, 3)
                                .nOut(6)
                                .activation(Activation.RELU)
                                .build())
                        .layer(new BatchNormalization.Builder().useLogStd(false).build())
                        .layer(new SubsamplingLayer.Builder()
                                .kernelSize(2, 2)
                                .stride(2, 2)
                                .build())
                        .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(3)
                                .activation(Activation.SOFTMAX)
                                .build())
                        .setInputType(InputType.convolutional(10, 10, 2))
                        .build(),
                DataType.BFLOAT16);
    }

    public static MultiLayerNetwork recurrent(IUpdater updater) {
        return TestNetworks.network(
                TestNetworks.builder(updater)
                        .list()
                        .layer(new LSTM.Builder().nIn(5).nOut(12).build())
                        .layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                .nIn(12)
                                .nOut(3)
                                .activation(Activation.SOFTMAX)
                                .build())
                        .build(),
                DataType.BFLOAT16);
    }

    private static INDArray gaussian(long... shape) {
        var random = new Random(3);
        INDArray values = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < values.length(); i++) {
            values.putScalar(i, random.nextGaussian());
        }
        return values;
    }

    /** One of three classes at random for each example and time. */
    private static INDArray classes(int examples, int time) {
        var random = new Random(4);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, examples, 3, time);
        for (int i = 0; i < examples; i++) {
            for (int t = 0; t < time; t++) {
                labels.putScalar(new int[] {i, random.nextInt(3), t}, 1);
            }
        }
        return labels;
    }
}
