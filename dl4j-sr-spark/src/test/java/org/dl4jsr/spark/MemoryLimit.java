package org.dl4jsr.spark;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.ZipInputStream;
import org.apache.spark.SparkContext;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.parallel.Mode;
import org.dl4jsr.parallel.Rank;
import org.dl4jsr.policy.Bf16Policy;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * Trains some steps of a network of 60 million parameters, whose arrays take 12 bytes a parameter on one rank and 8 on
 * each of two. Under a limit of memory a process ({@code ulimit -d}) between them, two ranks train what one cannot.
 */
final class MemoryLimit {

    private static final int WIDTH = 2000;
    private static final int LAYERS = 16;
    private static final int INPUTS = 16;
    private static final int STEPS = 4;

    private MemoryLimit() {}

    /** Argument: ranks. Prints the SHA-256 of what they have trained, or ends with what went wrong. */
    public static void main(String[] arguments) throws Exception {
        int ranks = Integer.parseInt(arguments[0]);
        Path directory = Files.createTempDirectory("memory-limit");
        SparkContext spark = LocalCluster.start("memory limit", ranks, 1, 512);
        try {
            SparkTraining.on(spark)
                    .workers(ranks, ranks)
                    .checkpoints(directory.toUri().toString(), STEPS / 2)
                    .run(rank -> rank.train(MemoryLimit::network, Mode.SHARDED, STEPS, 2, MemoryLimit::batch));
            System.out.println(ranks + " ranks: " + sha256(directory.resolve(Rank.MODEL)));
        } catch (IllegalStateException e) {
            System.out.println(ranks + " ranks: " + e.getMessage());
        } finally {
            spark.stop();
        }
        System.exit(0);
    }

    private static MultiLayerNetwork network() {
        var layers = new NeuralNetConfiguration.Builder()
                .seed(3)
                .updater(new Adam(1e-4))
                .list();
        for (int i = 0; i < LAYERS; i++) {
            layers.layer(new DenseLayer.Builder()
                    .nOut(WIDTH)
                    .activation(Activation.TANH)
                    .build());
        }
        var network = new MultiLayerNetwork(Bf16Policy.SR.apply(layers.layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .setInputType(InputType.feedForward(INPUTS))
                .build()));
        network.init();
        return network;
    }

    private static MultiDataSet batch(long step, int part) {
        var random = new Random(2 * step + part);
        var features = new float[4][INPUTS];
        var labels = new float[4][1];
        for (int i = 0; i < features.length; i++) {
            for (int k = 0; k < INPUTS; k++) {
                features[i][k] = (float) random.nextGaussian();
            }
            labels[i][0] = features[i][0];
        }
        return new DataSet(Nd4j.createFromArray(features), Nd4j.createFromArray(labels)).toMultiDataSet();
    }

    /** Of the files in a zip file, which says when it was written, too. */
    private static String sha256(Path file) throws Exception {
        var sha = MessageDigest.getInstance("SHA-256");
        var bytes = new byte[1 << 16];
        try (var zip = new ZipInputStream(Files.newInputStream(file))) {
            while (zip.getNextEntry() != null) {
                for (int length = zip.read(bytes); length >= 0; length = zip.read(bytes)) {
                    sha.update(bytes, 0, length);
                }
            }
        }
        return HexFormat.of().formatHex(sha.digest());
    }
}
