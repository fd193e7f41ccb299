package org.dl4jsr.spark;

import java.io.IOException;
import java.time.Duration;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.dl4jsr.parallel.Cluster;
import org.dl4jsr.parallel.Observer;
import org.dl4jsr.parallel.RankProgram;

/** The cluster that spark-submit names, or one of this machine's processes. */
public final class SparkCluster implements Cluster {

    /** Ranks wait as long as the first one writes a large model. */
    private static final Duration DEADLINE = Duration.ofMinutes(30);

    @Override
    public void require() {
        var settings = new SparkConf();
        if (settings.contains("spark.master")) {
            ClusterChecks.require(settings);
        }
    }

    @Override
    public Processes start(Request request) {
        var settings = new SparkConf();
        SparkContext spark = settings.contains("spark.master")
                ? new SparkContext(settings.setIfMissing("spark.app.name", request.name()))
                : LocalCluster.start(request.name(), request.workers(), request.threads(), request.megabytes());
        try {
            SparkTraining training =
                    SparkTraining.on(spark).workers(1, request.workers()).deadline(DEADLINE);
            training.awaitExecutors();
            return new Executors(spark, training);
        } catch (RuntimeException e) {
            spark.stop();
            throw e;
        }
    }

    /** Those of an application. */
    private record Executors(SparkContext spark, SparkTraining training) implements Processes {

        @Override
        public void run(String folder, Observer observer, RankProgram program) throws IOException {
            training.checkpoints(folder, Long.MAX_VALUE).observer(observer).run(program);
        }

        @Override
        public void close() {
            spark.stop();
        }
    }
}
