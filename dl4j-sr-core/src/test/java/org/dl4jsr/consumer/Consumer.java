package org.dl4jsr.consumer;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.policy.Bf16Runtime;
import org.dl4jsr.policy.SafeRestore;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A user's program: trains a network, restores another, and says what runs. */
final class Consumer {

    private interface Step {
        Object run() throws IOException;
    }

    private Consumer() {}

    /**
     * Steps that fail say why on standard output: the first line of the message, which DL4J makes longer where it reads a
     * configuration.
     */
    public static void main(String[] arguments) {
        run("train", () -> trained().score());
        run("restore", () -> MultiLayerNetwork.load(new File(arguments[0]), false)
                .output(features())
                .castTo(DataType.FLOAT)
                .sumNumber());
        run("safe restore", () -> SafeRestore.multiLayerNetwork(Path.of(arguments[1]), false)
                .output(features())
                .castTo(DataType.FLOAT)
                .sumNumber());
        run("runtime", Bf16Runtime::current);
        run("FLOAT", () -> features().mmul(features().transpose()).rank());
    }

    private static void run(String name, Step step) {
        try {
            System.out.println(name + ": " + step.run());
        } catch (RuntimeException | IOException e) {
            System.out.println(
                    name + " stops: " + e.getMessage().lines().findFirst().orElseThrow());
        }
    }

    static INDArray features() {
        return Nd4j.linspace(DataType.FLOAT, -1, 0.05, 32).reshape(8, 4);
    }

    static MultiLayerNetwork trained() {
        var network = new MultiLayerNetwork(Bf16Policy.SR.apply(configuration()));
        network.init();
        for (int i = 0; i < 3; i++) {
            network.fit(features(), Nd4j.eye(4).repeat(0, 2));
        }
        return network;
    }

    /** A BF16 network without any part of dl4j-sr's. */
    static MultiLayerNetwork stock() {
        MultiLayerConfiguration configuration = configuration();
        configuration.setDataType(DataType.BFLOAT16);
        var network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    private static MultiLayerConfiguration configuration() {
        return new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(1e-2))
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(4)
                        .nOut(8)
                        .activation(Activation.RELU)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(8)
                        .nOut(4)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
    }
}
