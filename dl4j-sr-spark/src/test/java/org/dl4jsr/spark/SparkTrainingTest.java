package org.dl4jsr.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.apache.spark.SparkContext;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.parallel.Attempts;
import org.dl4jsr.parallel.DataParallel;
import org.dl4jsr.parallel.FileStorage;
import org.dl4jsr.parallel.Mode;
import org.dl4jsr.parallel.Observer;
import org.dl4jsr.parallel.Rank;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Two executors, processes of their own, end with the bits of one rank in this process. */
@Tag("slow")
@Timeout(600)
class SparkTrainingTest {

    static final int STEPS = 8;
    static final int PARTS = 3;
    private static final int WIDTH = 100;

    private static SparkContext spark;

    @TempDir
    private Path directory;

    @BeforeAll
    static void start() {
        spark = LocalCluster.start("test", 2, 1, 512);
    }

    @AfterAll
    static void stop() {
        spark.stop();
    }

    static MultiLayerNetwork network() {
        var network = new MultiLayerNetwork(Bf16Policy.SR.apply(new NeuralNetConfiguration.Builder()
                .seed(3)
                .updater(new Adam(5e-3))
                .dropOut(0.8)
                .list()
                .layer(new DenseLayer.Builder()
                        .nOut(WIDTH)
                        .activation(Activation.TANH)
                        .build())
                .layer(new DenseLayer.Builder()
                        .nOut(WIDTH)
                        .activation(Activation.TANH)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(3)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.feedForward(6))
                .build()));
        network.init();
        return network;
    }

    static MultiDataSet batch(long step, int part) {
        var random = new Random(step * PARTS + part);
        var features = new float[4][6];
        var labels = new float[4][3];
        for (int i = 0; i < 4; i++) {
            for (int k = 0; k < 6; k++) {
                features[i][k] = (float) random.nextGaussian();
            }
            labels[i][features[i][0] < -0.5 ? 0 : features[i][0] < 0.5 ? 1 : 2] = 1;
        }
        return new DataSet(Nd4j.createFromArray(features), Nd4j.createFromArray(labels)).toMultiDataSet();
    }

    private SparkTraining training() {
        return SparkTraining.on(spark)
                .workers(2, 2)
                .checkpoints(directory.toUri().toString(), 3)
                .deadline(Duration.ofSeconds(60));
    }

    /** Weights and updater state, bit for bit. */
    static float[] bits(MultiLayerNetwork network) {
        return Nd4j.concat(
                        0,
                        network.params().reshape(network.numParams()).castTo(DataType.FLOAT),
                        network.getUpdater().getStateViewArray().castTo(DataType.FLOAT))
                .data()
                .asFloat();
    }

    static void assertEndsLikeOneRank(Path directory) throws IOException {
        MultiLayerNetwork alone = network();
        var one = new DataParallel(alone);
        for (int step = 0; step < STEPS; step++) {
            one.step(step, PARTS, SparkTrainingTest::batch);
        }
        MultiLayerNetwork trained =
                MultiLayerNetwork.load(directory.resolve(Rank.MODEL).toFile(), true);
        assertArrayEquals(bits(alone), bits(trained));
        assertEquals(alone.getIterationCount(), trained.getIterationCount());
    }

    /** One of them ends at once, in the midst of a step after the first checkpoint. */
    @Test
    void aRunWithALostExecutorEndsLikeOneRank() throws Exception {
        String killed = directory.resolve("killed").toString();
        training()
                .run(rank -> rank.train(SparkTrainingTest::network, Mode.SHARDED, STEPS, PARTS, (step, part) -> {
                    if (step == 4 && part == 1 && isFirst(killed)) {
                        Runtime.getRuntime().halt(137);
                    }
                    return batch(step, part);
                }));
        assertTrue(Files.exists(Path.of(killed)));
        assertTrue(Files.exists(directory.resolve("attempts/1")));
        assertEndsLikeOneRank(directory);
    }

    private static boolean isFirst(String file) {
        try {
            return new File(file).createNewFile();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As if another driver had begun with the run: the first one writes no checkpoint over those of the other. */
    @Test
    void aDriverStopsWhereAnotherHasTakenTheRunOver() {
        String folder = directory.toString();
        var error = assertThrows(IllegalStateException.class, () -> training()
                .run(rank -> rank.train(SparkTrainingTest::network, Mode.SHARDED, STEPS, PARTS, (step, part) -> {
                    if (step == 1 && part == 1) {
                        assertEquals(1, nextAttempt(folder));
                    }
                    return batch(step, part);
                })));
        assertTrue(
                error.getMessage().contains("Attempt 0 stops: another driver has begun attempt 1"), error::getMessage);
        assertFalse(Files.exists(directory.resolve("step-3")));
    }

    private static int nextAttempt(String folder) {
        try {
            return Attempts.next(new FileStorage(Path.of(folder)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What would fail again is not tried again. */
    @Test
    void aProgramThatThrowsEndsTheRun() {
        var error = assertThrows(IllegalStateException.class, () -> training()
                .run(rank -> rank.train(SparkTrainingTest::network, Mode.SHARDED, STEPS, PARTS, (step, part) -> {
                    if (step == 1 && part == 1) {
                        throw new IllegalArgumentException("no such batch");
                    }
                    return batch(step, part);
                })));
        assertEquals("Rank 1 has failed: java.lang.IllegalArgumentException: no such batch", error.getMessage());
    }

    /** A rank that cannot write its last checkpoint: the run is to stop, but who wants that must hear of it. */
    @Test
    void whatGoesWrongWhileTheRunIsToStopIsSaid() {
        var wantsToStop = new Observer() {
            @Override
            public void note(String text) {
                // it says nothing
            }

            @Override
            public boolean isStopWanted() {
                return true;
            }
        };
        var error = assertThrows(
                IllegalStateException.class,
                () -> training().observer(wantsToStop).run(rank -> {
                    throw new IOException("no space left");
                }));
        assertTrue(error.getMessage().endsWith(" has failed: java.io.IOException: no space left"), error::getMessage);
    }
}
