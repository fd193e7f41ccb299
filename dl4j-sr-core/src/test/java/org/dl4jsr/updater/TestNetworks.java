package org.dl4jsr.updater;

import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A small classification task and networks for it. */
public final class TestNetworks {

    public static final int INPUTS = 16;
    public static final int CLASSES = 4;
    public static final DataSet DATA = data(128);

    private TestNetworks() {}

    /** Gaussian inputs, labelled by a fixed random linear map. */
    private static DataSet data(int examples) {
        var random = new Random(7);
        var map = new double[CLASSES][INPUTS];
        for (double[] row : map) {
            for (int i = 0; i < INPUTS; i++) {
                row[i] = random.nextGaussian();
            }
        }
        INDArray features = Nd4j.create(DataType.FLOAT, examples, INPUTS);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, examples, CLASSES);
        for (int example = 0; example < examples; example++) {
            var scores = new double[CLASSES];
            for (int i = 0; i < INPUTS; i++) {
                double value = random.nextGaussian();
                features.putScalar(example, i, value);
                for (int c = 0; c < CLASSES; c++) {
                    scores[c] += map[c][i] * value;
                }
            }
            int best = 0;
            for (int c = 1; c < CLASSES; c++) {
                best = scores[c] > scores[best] ? c : best;
            }
            labels.putScalar(example, best, 1);
        }
        return new DataSet(features, labels);
    }

    public static NeuralNetConfiguration.Builder builder(IUpdater updater) {
        return new NeuralNetConfiguration.Builder()
                .seed(3)
                .weightInit(WeightInit.XAVIER)
                .updater(updater);
    }

    public static DenseLayer dense(int in, int out) {
        return new DenseLayer.Builder()
                .nIn(in)
                .nOut(out)
                .activation(Activation.TANH)
                .build();
    }

    public static OutputLayer output(int in) {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nIn(in)
                .nOut(CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    public static MultiLayerConfiguration mlpConfiguration(IUpdater updater, DataType type) {
        var configuration = builder(updater)
                .list()
                .layer(dense(INPUTS, 32))
                .layer(dense(32, 32))
                .layer(output(32))
                .build();
        configuration.setDataType(type);
        return configuration;
    }

    public static MultiLayerNetwork mlp(IUpdater updater, DataType type) {
        return network(mlpConfiguration(updater, type));
    }

    public static MultiLayerNetwork network(MultiLayerConfiguration configuration) {
        var network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    public static MultiLayerNetwork network(MultiLayerConfiguration configuration, DataType type) {
        configuration.setDataType(type);
        return network(configuration);
    }

    public static ComputationGraphConfiguration graphConfiguration(IUpdater updater, DataType type) {
        var configuration = builder(updater)
                .graphBuilder()
                .addInputs("in")
                .addLayer("first", dense(INPUTS, 32), "in")
                .addLayer("second", dense(32, 32), "first")
                .addLayer("out", output(32), "second")
                .setOutputs("out")
                .build();
        configuration.setDataType(type);
        return configuration;
    }

    public static ComputationGraph graph(IUpdater updater, DataType type) {
        var graph = new ComputationGraph(graphConfiguration(updater, type));
        graph.init();
        return graph;
    }

    public static void fit(Model model, int iterations) {
        for (int i = 0; i < iterations; i++) {
            if (model instanceof MultiLayerNetwork network) {
                network.fit(DATA);
            } else {
                ((ComputationGraph) model).fit(DATA);
            }
        }
    }

    /** Mean cross-entropy on {@link #DATA}, summed in double. */
    public static double loss(Model model) {
        INDArray output = model instanceof MultiLayerNetwork network
                ? network.output(DATA.getFeatures())
                : ((ComputationGraph) model).outputSingle(DATA.getFeatures());
        double sum = 0;
        for (int i = 0; i < output.rows(); i++) {
            for (int c = 0; c < CLASSES; c++) {
                if (DATA.getLabels().getDouble(i, c) == 1) {
                    sum -= Math.log(Math.max(output.getDouble(i, c), 1e-9));
                }
            }
        }
        return sum / output.rows();
    }

    /** The BF16 bits of an array, as FP32 values: equal arrays of these are equal bit for bit. */
    public static float[] bits(INDArray array) {
        return array.castTo(DataType.FLOAT).dup('c').data().asFloat();
    }
}
