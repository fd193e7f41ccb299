package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Ordinary models with a stock updater follow their FLOAT twins, from the same weights on the same data. */
class Bf16TrainingTest {

    private static final int ITERATIONS = 25;

    private final Random random = new Random(1);

    @Test
    void mlp() {
        var configuration = builder()
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(20)
                        .nOut(64)
                        .activation(Activation.RELU)
                        .build())
                .layer(new DenseLayer.Builder()
                        .nIn(64)
                        .nOut(32)
                        .activation(Activation.TANH)
                        .build())
                .layer(output(32, 4))
                .build();
        INDArray features = gaussian(64, 20);
        assertTrainsAlike(configuration, new DataSet(features, classes(features.argMax(1), 4)), 0.05);
    }

    @Test
    void convolutionsWithBatchNormalization() {
        var configuration = builder()
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
                .layer(new ConvolutionLayer.Builder(3, 3)
                        .nOut(8)
                        .activation(Activation.ELU)
                        .build())
                .layer(output(0, 3))
                .setInputType(InputType.convolutional(12, 12, 2))
                .build();
        INDArray features = gaussian(24, 2, 12, 12);
        INDArray brightest = features.mean(2, 3).argMax(1);
        assertTrainsAlike(configuration, new DataSet(features, classes(brightest, 3)), 0.08);
    }

    @Test
    void lstm() {
        var configuration = builder()
                .list()
                .layer(new LSTM.Builder().nIn(5).nOut(16).build())
                .layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .activation(Activation.SOFTMAX)
                        .nIn(16)
                        .nOut(3)
                        .build())
                .build();
        INDArray features = gaussian(8, 5, 10);
        INDArray labels = Nd4j.create(DataType.FLOAT, 8, 3, 10);
        INDArray largest = features.argMax(1);
        for (int i = 0; i < 8; i++) {
            for (int t = 0; t < 10; t++) {
                labels.putScalar(new int[] {i, largest.getInt(i, t) % 3, t}, 1);
            }
        }
        assertTrainsAlike(configuration, new DataSet(features, labels), 0.15); // the loss is a sum over 10 steps
    }

    @Test
    void graph() {
        ComputationGraphConfiguration configuration = builder()
                .graphBuilder()
                .addInputs("in")
                .addLayer("left", hidden(Activation.SIGMOID), "in")
                .addLayer("right", hidden(Activation.GELU), "in")
                .addLayer("out", output(64, 4), "left", "right")
                .setOutputs("out")
                .build();
        INDArray features = gaussian(64, 20);
        var data = new DataSet(features, classes(features.argMax(1), 4));
        var wide = new ComputationGraph(configuration);
        wide.init();
        ComputationGraph narrow = wide.convertDataType(DataType.BFLOAT16);
        for (int i = 0; i < ITERATIONS; i++) {
            wide.fit(data);
            narrow.fit(data);
            assertEquals(wide.score(), narrow.score(), 0.05, "iteration " + i);
        }
        assertEquals(DataType.BFLOAT16, narrow.params().dataType());
    }

    private void assertTrainsAlike(MultiLayerConfiguration configuration, DataSet data, double tolerance) {
        var wide = new MultiLayerNetwork(configuration);
        wide.init();
        MultiLayerNetwork narrow = wide.convertDataType(DataType.BFLOAT16);
        double first = wide.score(data);
        for (int i = 0; i < ITERATIONS; i++) {
            wide.fit(data);
            narrow.fit(data);
            assertEquals(wide.score(), narrow.score(), tolerance, "iteration " + i);
        }
        assertTrue(wide.score(data) < 0.8 * first, "the FLOAT twin itself learns: " + wide.score(data));
        assertEquals(DataType.BFLOAT16, narrow.params().dataType());
        assertEquals(DataType.BFLOAT16, narrow.getUpdater().getStateViewArray().dataType());
    }

    private static NeuralNetConfiguration.Builder builder() {
        return new NeuralNetConfiguration.Builder()
                .seed(7)
                .updater(new Adam(1e-2))
                .weightInit(WeightInit.XAVIER);
    }

    private static DenseLayer hidden(Activation activation) {
        return new DenseLayer.Builder().nIn(20).nOut(32).activation(activation).build();
    }

    private static OutputLayer output(int in, int classes) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .activation(Activation.SOFTMAX)
                .nIn(in)
                .nOut(classes)
                .build();
    }

    private INDArray gaussian(long... shape) {
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, random.nextGaussian());
        }
        return array;
    }

    private static INDArray classes(INDArray classes, int count) {
        INDArray labels = Nd4j.create(DataType.FLOAT, classes.length(), count);
        for (int i = 0; i < classes.length(); i++) {
            labels.putScalar(i, classes.getInt(i) % count, 1);
        }
        return labels;
    }
}
