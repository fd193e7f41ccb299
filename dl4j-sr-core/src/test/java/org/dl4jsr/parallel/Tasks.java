package org.dl4jsr.parallel;

import java.util.Random;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.rounding.Hash;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Tiny networks to train together, each with its batches.
 *
 * @param network a new one, the same each time
 * @param canBeSharded whether SrAdam trains all of it
 * @param batches of 4 examples
 */
record Tasks(String name, Supplier<Model> network, boolean canBeSharded, Batches batches) {

    private static final int INPUTS = 6;
    private static final int CLASSES = 3;
    private static final int BATCH = 4;
    private static final int TIME = 3;

    @Override
    public String toString() {
        return name;
    }

    static Tasks mlp(String name, Bf16Policy policy, IUpdater updater) {
        return new Tasks(
                name,
                () -> network(
                        policy,
                        builder(updater)
                                .list()
                                .layer(dense(70))
                                .layer(dense(70))
                                .layer(output())
                                .setInputType(InputType.feedForward(INPUTS))
                                .build()),
                policy == Bf16Policy.SR && updater instanceof Adam,
                Tasks::rows);
    }

    static Tasks mlp() {
        return mlp("MLP", Bf16Policy.SR, new Adam(5e-3));
    }

    /** With weights of which no layer has a large part. */
    static Tasks deep() {
        return new Tasks(
                "deep",
                () -> network(
                        Bf16Policy.SR,
                        builder(new Adam(5e-3))
                                .list()
                                .layer(dense(70))
                                .layer(dense(70))
                                .layer(dense(70))
                                .layer(dense(70))
                                .layer(dense(70))
                                .layer(dense(70))
                                .layer(output())
                                .setInputType(InputType.feedForward(INPUTS))
                                .build()),
                true,
                Tasks::rows);
    }

    static Tasks batchNormalization() {
        return new Tasks(
                "batch normalization",
                () -> network(
                        Bf16Policy.SR,
                        builder(new Adam(5e-3))
                                .l2(1e-3)
                                .list()
                                .layer(dense(70))
                                .layer(new BatchNormalization())
                                .layer(dense(70))
                                .layer(output())
                                .setInputType(InputType.feedForward(INPUTS))
                                .build()),
                true,
                Tasks::rows);
    }

    static Tasks dropout() {
        return new Tasks(
                "dropout",
                () -> network(
                        Bf16Policy.SR,
                        builder(new Adam(5e-3))
                                .dropOut(0.7)
                                .list()
                                .layer(dense(70))
                                .layer(dense(70))
                                .layer(output())
                                .setInputType(InputType.feedForward(INPUTS))
                                .build()),
                true,
                Tasks::rows);
    }

    /** With masks and truncated back-propagation through time, in segments of 2 steps and 1. */
    static Tasks lstm() {
        return new Tasks(
                "LSTM",
                () -> network(
                        Bf16Policy.SR,
                        builder(new Adam(5e-3))
                                .list()
                                .layer(new LSTM.Builder().nOut(40).build())
                                .layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                        .nOut(CLASSES)
                                        .activation(Activation.SOFTMAX)
                                        .build())
                                .setInputType(InputType.recurrent(INPUTS))
                                .backpropType(BackpropType.TruncatedBPTT)
                                .tBPTTLength(2)
                                .build()),
                true,
                Tasks::sequences);
    }

    static Tasks gpt() {
        return new Tasks(
                "GPT",
                () -> {
                    var graph = new ComputationGraph(Bf16Policy.SR.apply(GptConfiguration.builder()
                            .layers(2)
                            .width(16)
                            .heads(2)
                            .context(8)
                            .vocabulary(17)
                            .build()
                            .toGraph()));
                    graph.init();
                    return graph;
                },
                true,
                (step, part) -> {
                    var random = new Random(Hash.of(step, part));
                    var tokens = new int[BATCH][8];
                    var next = new int[BATCH][8];
                    for (int i = 0; i < BATCH; i++) {
                        for (int t = 0; t < 8; t++) {
                            tokens[i][t] = random.nextInt(17);
                            next[i][t] = (tokens[i][t] * 3 + 1) % 17;
                        }
                    }
                    return new DataSet(Nd4j.createFromArray(tokens), Nd4j.createFromArray(next)).toMultiDataSet();
                });
    }

    private static NeuralNetConfiguration.Builder builder(IUpdater updater) {
        return new NeuralNetConfiguration.Builder()
                .seed(3)
                .weightInit(WeightInit.XAVIER)
                .updater(updater);
    }

    private static Model network(Bf16Policy policy, org.deeplearning4j.nn.conf.MultiLayerConfiguration configuration) {
        var network = new MultiLayerNetwork(policy.apply(configuration));
        network.init();
        return network;
    }

    private static DenseLayer dense(int units) {
        return new DenseLayer.Builder().nOut(units).activation(Activation.TANH).build();
    }

    private static OutputLayer output() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nOut(CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }

    private static org.nd4j.linalg.dataset.api.MultiDataSet rows(long step, int part) {
        var random = new Random(Hash.of(step, part));
        var features = new float[BATCH][INPUTS];
        var labels = new float[BATCH][CLASSES];
        for (int i = 0; i < BATCH; i++) {
            float sum = 0;
            for (int k = 0; k < INPUTS; k++) {
                features[i][k] = (float) random.nextGaussian();
                sum += features[i][k] * (k % 2 == 0 ? 1 : -1);
            }
            labels[i][sum < -1 ? 0 : sum < 1 ? 1 : 2] = 1;
        }
        return new DataSet(Nd4j.createFromArray(features), Nd4j.createFromArray(labels)).toMultiDataSet();
    }

    private static org.nd4j.linalg.dataset.api.MultiDataSet sequences(long step, int part) {
        var random = new Random(Hash.of(step, part));
        INDArray features = Nd4j.create(DataType.FLOAT, BATCH, INPUTS, TIME);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, BATCH, CLASSES, TIME);
        INDArray mask = Nd4j.zeros(DataType.FLOAT, BATCH, TIME);
        for (int i = 0; i < BATCH; i++) {
            int length = TIME - random.nextInt(2);
            for (int t = 0; t < TIME; t++) {
                for (int k = 0; k < INPUTS; k++) {
                    features.putScalar(new int[] {i, k, t}, random.nextGaussian());
                }
                labels.putScalar(new int[] {i, random.nextInt(CLASSES), t}, 1);
                mask.putScalar(i, t, t < length ? 1 : 0);
            }
        }
        return new DataSet(features, labels, mask, mask.dup()).toMultiDataSet();
    }
}
