package org.dl4jsr.benchmarks.training;

import java.util.Random;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.nn.weights.WeightInitRelu;
import org.deeplearning4j.zoo.model.ResNet50;
import org.dl4jsr.policy.Bf16Policy;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Networks of stock layers, one a family, each with one batch of random data. */
public enum BenchmarkedModel {

    /** 784-1024-1024-10, batch 512. */
    MLP(InputType.feedForward(784), dense(1024), dense(1024), output(10)) {
        @Override
        DataSet batch(Random random) {
            return new DataSet(uniform(random, 512, 784), classes(random, 10, 512));
        }
    },

    /** LeNet on 28x28x1, batch 64. */
    LENET(
            InputType.convolutional(28, 28, 1),
            convolution(5, 20, Activation.RELU),
            maxPooling(),
            convolution(5, 50, Activation.RELU),
            maxPooling(),
            dense(500),
            output(10)) {
        @Override
        DataSet batch(Random random) {
            return new DataSet(uniform(random, 64, 1, 28, 28), classes(random, 10, 64));
        }
    },

    /** Three blocks of 3x3 convolution, batch normalization, ReLU and pooling on 32x32x3, batch 64. */
    CNN_BATCH_NORM(
            InputType.convolutional(32, 32, 3),
            convolution(3, 32, Activation.IDENTITY),
            new BatchNormalization(),
            relu(),
            maxPooling(),
            convolution(3, 64, Activation.IDENTITY),
            new BatchNormalization(),
            relu(),
            maxPooling(),
            convolution(3, 128, Activation.IDENTITY),
            new BatchNormalization(),
            relu(),
            new GlobalPoolingLayer(PoolingType.AVG),
            output(10)) {
        @Override
        DataSet batch(Random random) {
            return new DataSet(uniform(random, 64, 3, 32, 32), classes(random, 10, 64));
        }
    },

    /** Two LSTMs of 256 on 64 inputs, 50 time steps, batch 32. */
    LSTM(
            InputType.recurrent(64),
            lstm(),
            lstm(),
            new RnnOutputLayer.Builder(LossFunction.MCXENT)
                    .nOut(64)
                    .activation(Activation.SOFTMAX)
                    .build()) {
        @Override
        DataSet batch(Random random) {
            return new DataSet(uniform(random, 32, 64, 50), classes(random, 64, 32, 50));
        }
    },

    /** Self-attention of width 128 with 4 heads over 64 time steps, batch 32. */
    ATTENTION(
            InputType.recurrent(128),
            new SelfAttentionLayer.Builder()
                    .nOut(128)
                    .nHeads(4)
                    .projectInput(true)
                    .build(),
            new GlobalPoolingLayer(PoolingType.MAX),
            output(10)) {
        @Override
        DataSet batch(Random random) {
            return new DataSet(uniform(random, 32, 128, 64), classes(random, 10, 32));
        }
    },

    /** Recurrent attention of width 32 with 4 heads over 12 time steps, batch 16. */
    RECURRENT_ATTENTION(
            InputType.recurrent(32),
            new RecurrentAttentionLayer.Builder()
                    .nOut(32)
                    .nHeads(4)
                    .projectInput(true)
                    .build(),
            new RnnOutputLayer.Builder(LossFunction.MCXENT)
                    .nOut(10)
                    .activation(Activation.SOFTMAX)
                    .build()) {
        @Override
        DataSet batch(Random random) {
            return new DataSet(uniform(random, 16, 32, 12), classes(random, 10, 16, 12));
        }
    },

    /** Text classification: embeddings of 128 for 5,000 tokens, a convolution of 5 over 100 time steps, batch 32. */
    CONV_1D(
            InputType.recurrent(5000),
            new EmbeddingSequenceLayer.Builder().nOut(128).inputLength(100).build(),
            new Convolution1DLayer.Builder()
                    .kernelSize(5)
                    .nOut(128)
                    .convolutionMode(ConvolutionMode.Same)
                    .activation(Activation.RELU)
                    .build(),
            new GlobalPoolingLayer(PoolingType.MAX),
            output(10)) {
        @Override
        DataSet batch(Random random) {
            INDArray tokens = Nd4j.create(DataType.FLOAT, 32, 100);
            for (long i = 0; i < tokens.length(); i++) {
                tokens.putScalar(i, random.nextInt(5000));
            }
            return new DataSet(tokens, classes(random, 10, 32));
        }
    },

    /** The zoo's ResNet-50 on 136x136x3, the smallest images that it takes, 100 classes, batch 32. */
    RESNET50 {
        @Override
        BenchmarkedNetwork network(Bf16Policy policy) {
            ComputationGraphConfiguration configuration = ResNet50.builder()
                    .seed(1)
                    .inputShape(new int[] {3, 136, 136})
                    .numClasses(100)
                    .weightInit(new WeightInitRelu()) // with the zoo's own the sums overflow at inference
                    .updater(new Adam(1e-3))
                    .build()
                    .graphBuilder()
                    .build();
            var graph = new ComputationGraph(policy == null ? configuration : policy.apply(configuration));
            graph.init();
            return new BenchmarkedNetwork(graph::fit, graph::outputSingle);
        }

        @Override
        DataSet batch(Random random) {
            return new DataSet(uniform(random, 32, 3, 136, 136), classes(random, 100, 32));
        }
    },

    /** Keras' example cifar10_cnn, imported, channels last, on 32x32x3, batch 32. */
    KERAS_CNN {
        @Override
        MultiLayerConfiguration configuration() {
            return KerasCnn.configuration();
        }

        @Override
        DataSet batch(Random random) {
            return new DataSet(uniform(random, 32, 32, 32, 3), classes(random, 10, 32));
        }
    };

    private final InputType inputType;
    private final Layer[] layers;

    /** For networks that are made elsewhere. */
    BenchmarkedModel() {
        this(null);
    }

    BenchmarkedModel(InputType inputType, Layer... layers) {
        this.inputType = inputType;
        this.layers = layers;
    }

    /** The configuration as a user of stock DL4J writes it, with Adam. */
    MultiLayerConfiguration configuration() {
        return new NeuralNetConfiguration.Builder()
                .seed(1)
                .weightInit(WeightInit.XAVIER)
                .updater(new Adam(1e-3))
                .list(layers)
                .setInputType(inputType)
                .build();
    }

    /**
     * The network, with its first weights.
     *
     * @param policy null for stock DL4J
     */
    BenchmarkedNetwork network(Bf16Policy policy) {
        MultiLayerConfiguration configuration = configuration();
        var network = new MultiLayerNetwork(policy == null ? configuration : policy.apply(configuration));
        network.init();
        return new BenchmarkedNetwork(network::fit, network::output);
    }

    abstract DataSet batch(Random random);

    private static Layer dense(int out) {
        return new DenseLayer.Builder().nOut(out).activation(Activation.RELU).build();
    }

    private static Layer output(int classes) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(classes)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static Layer convolution(int size, int channels, Activation activation) {
        return new ConvolutionLayer.Builder(size, size)
                .nOut(channels)
                .activation(activation)
                .build();
    }

    private static Layer maxPooling() {
        return new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                .kernelSize(2, 2)
                .stride(2, 2)
                .build();
    }

    private static Layer relu() {
        return new ActivationLayer(Activation.RELU);
    }

    private static Layer lstm() {
        return new LSTM.Builder().nOut(256).activation(Activation.TANH).build();
    }

    private static INDArray uniform(Random random, long... shape) {
        INDArray array = Nd4j.createUninitialized(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, random.nextFloat());
        }
        return array;
    }

    /** One class of {@code count} an example, or an example and time step: [examples, count] or with [..., time]. */
    private static INDArray classes(Random random, int count, int examples, int... time) {
        if (time.length == 0) {
            INDArray labels = Nd4j.create(DataType.FLOAT, examples, count);
            for (int i = 0; i < examples; i++) {
                labels.putScalar(i, random.nextInt(count), 1);
            }
            return labels;
        }
        INDArray labels = Nd4j.create(DataType.FLOAT, examples, count, time[0]);
        for (int i = 0; i < examples; i++) {
            for (int t = 0; t < time[0]; t++) {
                labels.putScalar(i, random.nextInt(count), t, 1);
            }
        }
        return labels;
    }
}
