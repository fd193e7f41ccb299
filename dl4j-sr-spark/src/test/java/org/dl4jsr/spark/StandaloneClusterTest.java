package org.dl4jsr.spark;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.SparkContext;
import org.dl4jsr.parallel.Mode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run on a master and workers that are processes of their own. */
@Tag("slow")
@Timeout(600)
class StandaloneClusterTest {

    @TempDir
    private Path directory;

    /** Half of the steps on two machines, the rest on the one that is left. */
    @Test
    void aRunGoesOnWithFewerMachinesAndTheSameBits() throws Exception {
        Path run = Files.createDirectory(directory.resolve("run"));
        try (var cluster = new StandaloneCluster(directory, 2)) {
            SparkContext spark = cluster.application();
            try {
                train(spark, run, 2, SparkTrainingTest.STEPS / 2);
                assertTrue(Files.exists(run.resolve("step-4/slice-1.bin")));
                cluster.killWorker();
                train(spark, run, 1, SparkTrainingTest.STEPS);
            } finally {
                spark.stop();
            }
        }
        SparkTrainingTest.assertEndsLikeOneRank(run);
    }

    private static void train(SparkContext spark, Path run, int ranks, int steps) throws Exception {
        SparkTraining.on(spark)
                .workers(ranks, ranks)
                .checkpoints(run.toUri().toString(), 3)
                .run(rank -> rank.train(
                        SparkTrainingTest::network,
                        Mode.SHARDED,
                        steps,
                        SparkTrainingTest.PARTS,
                        SparkTrainingTest::batch));
    }
}
