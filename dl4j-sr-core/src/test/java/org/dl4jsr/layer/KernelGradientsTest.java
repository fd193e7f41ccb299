package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.network;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Convolution3D.DataFormat;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The gradient of every layer that runs on kernels, held to what a difference of losses of the stock network in DOUBLE
 * says; and the bits of training, which are the same from run to run.
 */
class KernelGradientsTest {

    private static final int BATCH = 5;
    private static final int CLASSES = 3;
    private static final double STEP = 1e-5;
    /** Elements of each parameter array. */
    private static final int SAMPLES = 4;
    /** What BF16 may cost, as a share of the array's root mean square: some roundings of 2^-9 along the way. */
    private static final double TOLERANCE = 0.05;

    /** Networks that between them have every layer. */
    @SuppressWarnings("deprecation") // GravesLSTM, GravesBidirectionalLSTM
    enum Network {
        DENSE(
                InputType.feedForward(7),
                new DenseLayer.Builder().nOut(20).activation(Activation.TANH).build(),
                new ActivationLayer(Activation.RELU),
                output()),
        BATCH_NORMALIZATION(
                InputType.convolutional(8, 7, 2),
                new ConvolutionLayer.Builder(3, 2)
                        .nOut(19)
                        .hasBias(false)
                        .activation(Activation.IDENTITY)
                        .build(),
                new BatchNormalization(),
                new ActivationLayer(Activation.TANH),
                output()),
        CONVOLUTION(
                InputType.convolutional(8, 7, 2),
                new ConvolutionLayer.Builder(3, 2)
                        .nOut(19)
                        .activation(Activation.TANH)
                        .build(),
                new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .build(),
                output()),
        CHANNELS_LAST(
                InputType.convolutional(8, 7, 2, CNN2DFormat.NHWC),
                new ConvolutionLayer.Builder(3, 2)
                        .nOut(19)
                        .activation(Activation.RELU)
                        .dataFormat(CNN2DFormat.NHWC)
                        .build(),
                output()),
        DEPTHWISE(
                InputType.convolutional(8, 7, 18),
                new DepthwiseConvolution2D.Builder(3, 2)
                        .activation(Activation.TANH)
                        .build(),
                output()),
        SEPARABLE(
                InputType.convolutional(8, 7, 18),
                new SeparableConvolution2D.Builder(3, 2)
                        .nOut(5)
                        .activation(Activation.TANH)
                        .build(),
                output()),
        AVERAGE_POOLING(
                InputType.convolutional(8, 7, 2),
                new ConvolutionLayer.Builder(3, 2)
                        .nOut(19)
                        .activation(Activation.TANH)
                        .build(),
                new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.AVG)
                        .kernelSize(3, 2)
                        .stride(1, 2)
                        .padding(1, 0)
                        .build(),
                output()),
        DECONVOLUTION(
                InputType.convolutional(4, 5, 2),
                new Deconvolution2D.Builder(3, 2)
                        .stride(2, 2)
                        .nOut(5)
                        .activation(Activation.TANH)
                        .build(),
                output()),
        CONVOLUTION_3D(
                InputType.convolutional3D(DataFormat.NCDHW, 4, 5, 4, 2),
                new Convolution3D.Builder(2, 3, 2)
                        .nOut(5)
                        .activation(Activation.TANH)
                        .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                output()),
        DECONVOLUTION_3D(
                InputType.convolutional3D(DataFormat.NCDHW, 2, 3, 2, 2),
                new Deconvolution3D.Builder()
                        .kernelSize(2, 3, 2)
                        .stride(2, 1, 2)
                        .nOut(5)
                        .activation(Activation.TANH)
                        .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                output()),
        CONVOLUTION_1D(
                InputType.recurrent(4, 9),
                new Convolution1DLayer.Builder()
                        .kernelSize(3)
                        .nOut(18)
                        .convolutionMode(ConvolutionMode.Same)
                        .activation(Activation.TANH)
                        .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                output()),
        EMBEDDING(
                InputType.recurrent(11),
                new EmbeddingSequenceLayer.Builder()
                        .nIn(11)
                        .nOut(6)
                        .inputLength(9)
                        .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                output()) {
            @Override
            INDArray features(Random random) {
                INDArray tokens = Nd4j.create(DataType.DOUBLE, BATCH, 9);
                for (int i = 0; i < tokens.length(); i++) {
                    tokens.putScalar(i, random.nextInt(11));
                }
                return tokens;
            }
        },
        LSTM(InputType.recurrent(4, 6), new LSTM.Builder().nOut(17).build(), sequenceOutput()),
        GRAVES_LSTM(InputType.recurrent(4, 6), new GravesLSTM.Builder().nOut(8).build(), sequenceOutput()),
        GRAVES_BIDIRECTIONAL_LSTM(
                InputType.recurrent(4, 6),
                new GravesBidirectionalLSTM.Builder().nOut(8).build(),
                sequenceOutput()),
        SIMPLE_RNN(InputType.recurrent(4, 6), new SimpleRnn.Builder().nOut(8).build(), sequenceOutput()),
        SELF_ATTENTION(
                InputType.recurrent(8, 6),
                new SelfAttentionLayer.Builder()
                        .nOut(8)
                        .nHeads(2)
                        .projectInput(true)
                        .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                output()) {
            @Override
            int factor(String parameter) {
                return parameter.startsWith("0_") ? OF_SAME_DIFF : 1;
            }
        },
        RECURRENT_ATTENTION(
                InputType.recurrent(8, 6),
                new LSTM.Builder().nOut(6).build(),
                new RecurrentAttentionLayer.Builder()
                        .nOut(8)
                        .nHeads(2)
                        .projectInput(true)
                        .build(),
                sequenceOutput()) {
            @Override
            int factor(String parameter) {
                return parameter.startsWith("2_") ? 1 : OF_SAME_DIFF; // the LSTM's, too
            }
        };

        /** SameDiff layers of M2.1 give twice the gradient, in DOUBLE too. */
        private static final int OF_SAME_DIFF = 2;

        private final InputType input;
        private final Layer[] layers;

        private static Layer output() {
            return new OutputLayer.Builder(LossFunction.MCXENT)
                    .nOut(CLASSES)
                    .activation(Activation.SOFTMAX)
                    .build();
        }

        private static Layer sequenceOutput() {
            return new RnnOutputLayer.Builder(LossFunction.MCXENT)
                    .nOut(CLASSES)
                    .activation(Activation.SOFTMAX)
                    .build();
        }

        Network(InputType input, Layer... layers) {
            this.input = input;
            this.layers = layers;
        }

        MultiLayerConfiguration configuration() {
            var list = new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .activation(Activation.TANH)
                    .updater(new Adam(1e-2))
                    .list();
            for (Layer layer : layers) {
                list.layer(layer.clone());
            }
            return list.setInputType(input).build();
        }

        /** By what DL4J multiplies the gradient of this parameter. */
        int factor(String parameter) {
            return 1;
        }

        INDArray features(Random random) {
            long[] shape = input.getShape(true);
            shape[0] = BATCH;
            INDArray features = Nd4j.create(DataType.DOUBLE, shape);
            for (int i = 0; i < features.length(); i++) {
                features.putScalar(i, Math.scalb(random.nextInt(257) - 128, -7)); // exact in BF16
            }
            return features;
        }

        DataSet data() {
            var random = new Random(3);
            INDArray features = features(random);
            boolean sequence = layers[layers.length - 1] instanceof RnnOutputLayer;
            INDArray labels = sequence
                    ? Nd4j.create(DataType.DOUBLE, BATCH, CLASSES, features.size(2))
                    : Nd4j.create(DataType.DOUBLE, BATCH, CLASSES);
            for (int b = 0; b < BATCH; b++) {
                for (int t = 0; t < (sequence ? features.size(2) : 1); t++) {
                    int label = random.nextInt(CLASSES);
                    if (sequence) {
                        labels.putScalar(b, label, t, 1);
                    } else {
                        labels.putScalar(b, label, 1);
                    }
                }
            }
            return new DataSet(features, labels);
        }
    }

    @ParameterizedTest
    @EnumSource
    void areThoseOfTheLoss(Network setting) {
        MultiLayerNetwork narrow = network(Bf16Policy.SR.apply(setting.configuration()));
        MultiLayerConfiguration stock = setting.configuration();
        stock.setDataType(DataType.DOUBLE);
        MultiLayerNetwork wide = network(stock);
        wide.setParams(narrow.params().castTo(DataType.DOUBLE));
        DataSet data = setting.data();
        LayerTesting.gradient(narrow, data);
        var random = new Random(4);
        for (String name : wide.paramTable().keySet()) {
            INDArray gradient = narrow.gradient().gradientForVariable().get(name);
            if (gradient == null || name.endsWith("_mean")) {
                continue; // the steps of running statistics
            }
            double scale = gradient.castTo(DataType.DOUBLE).norm2Number().doubleValue() / Math.sqrt(gradient.length());
            INDArray parameters = wide.getParam(name);
            for (int sample = 0; sample < SAMPLES; sample++) {
                long at = random.nextLong(parameters.length());
                double expected = setting.factor(name) * BATCH * slope(wide, data, parameters, at);
                assertEquals(expected, gradient.getDouble(at), TOLERANCE * scale, name + "[" + at + "]");
            }
        }
    }

    /** A difference of the mean losses of an example, which this parameter makes. */
    private static double slope(MultiLayerNetwork network, DataSet data, INDArray parameters, long at) {
        double value = parameters.getDouble(at);
        parameters.putScalar(at, value + STEP);
        double above = network.score(data, true);
        parameters.putScalar(at, value - STEP);
        double below = network.score(data, true);
        parameters.putScalar(at, value);
        return (above - below) / (2 * STEP);
    }

    @ParameterizedTest
    @EnumSource
    void trainToTheSameBitsAgain(Network setting) {
        assertArrayEquals(LayerTesting.bits(trained(setting)), LayerTesting.bits(trained(setting)));
    }

    private static INDArray trained(Network setting) {
        MultiLayerNetwork network = network(Bf16Policy.SR.apply(setting.configuration()));
        INDArray before = network.params().dup();
        for (int i = 0; i < 3; i++) {
            network.fit(setting.data());
        }
        assertTrue(network.params().distance2(before) > 0);
        return network.params();
    }
}
