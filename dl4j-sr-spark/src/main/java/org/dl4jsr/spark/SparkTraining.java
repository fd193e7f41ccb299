package org.dl4jsr.spark;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.dl4jsr.parallel.Attempts;
import org.dl4jsr.parallel.Observer;
import org.dl4jsr.parallel.RankProgram;
import org.dl4jsr.parallel.TransportException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A training on the executors of a Spark cluster, one rank each. Where a rank is lost, all begin again from the newest
 * checkpoint, as many as there are executors then, with the bits of a run that nothing has happened to. Where the driver
 * is lost, the same program goes on with the run, too.
 *
 * <pre>{@code
 * SparkTraining.on(spark.sparkContext())
 *         .workers(4, 8)
 *         .checkpoints("hdfs:///runs/a", 200)
 *         .run(rank -> rank.train(() -> build(), Mode.SHARDED, steps, 8, batches));
 * }</pre>
 */
public final class SparkTraining {

    private static final Logger LOG = LoggerFactory.getLogger(SparkTraining.class);

    private static final int ATTEMPTS = 5;
    private static final Duration FOR_ALL_EXECUTORS = Duration.ofSeconds(30);
    private static final Duration FOR_ENOUGH_EXECUTORS = Duration.ofMinutes(5);
    private static final Duration POLL = Duration.ofMillis(200);

    private final JavaSparkContext spark;
    private int fewest = 1;
    private int most = 1;
    private String checkpoints;
    private long every = 1;
    private Duration deadline = Duration.ofMinutes(5);
    private Observer observer = Observer.none();

    private SparkTraining(JavaSparkContext spark) {
        this.spark = spark;
    }

    /** @throws IllegalArgumentException where the cluster's configuration cannot work, with what to set */
    public static SparkTraining on(SparkContext spark) {
        ClusterChecks.require(spark.conf());
        ClusterChecks.warn(spark.conf());
        return new SparkTraining(new JavaSparkContext(spark));
    }

    /** How many ranks: up to {@code most}, and no fewer than {@code fewest}; at most one an executor. */
    public SparkTraining workers(int fewest, int most) {
        if (fewest < 1 || most < fewest) {
            throw new IllegalArgumentException(
                    "workers are " + fewest + " to " + most + ", expected 1 or more, the fewest first");
        }
        this.fewest = fewest;
        this.most = most;
        return this;
    }

    /**
     * Where checkpoints go, and the trained model.
     *
     * @param folder of this run alone, that driver and executors see: an hdfs:// URI, or file:// where all mount it
     * @param every steps from one to the next, 1 or more
     */
    public SparkTraining checkpoints(String folder, long every) {
        if (every < 1) {
            throw new IllegalArgumentException("a checkpoint every " + every + " steps, expected 1 or more");
        }
        checkpoints = folder;
        this.every = every;
        return this;
    }

    /** How long a rank waits for another before it gives up the attempt; default 5 minutes. */
    public SparkTraining deadline(Duration deadline) {
        this.deadline = deadline;
        return this;
    }

    /** Who hears what the ranks say; default nobody. */
    public SparkTraining observer(Observer observer) {
        this.observer = observer;
        return this;
    }

    /**
     * Runs {@code program} on all ranks until it has returned on each, or a rank was lost when the observer wanted to
     * stop.
     *
     * @throws IllegalStateException where it throws on one, where executors are missing, or where {@value #ATTEMPTS}
     *     attempts have come to an end without a new checkpoint
     * @throws IOException where the folder of the checkpoints cannot be read or written
     */
    public void run(RankProgram program) throws IOException {
        if (checkpoints == null) {
            throw new IllegalStateException("No folder for checkpoints: call checkpoints(folder, every)");
        }
        var storage = new HadoopStorage(checkpoints, spark.hadoopConfiguration());
        int failures = 0;
        while (true) {
            int ranks = awaitExecutors();
            List<String> before = storage.list("");
            int attempt = Attempts.next(storage);
            LOG.info("Attempt {}: {} ranks", attempt, ranks);
            String ended = attempt(program, attempt, ranks);
            if (ended == null) {
                return;
            }
            if (observer.isStopWanted()) {
                return;
            }
            failures = storage.list("").equals(before) ? failures + 1 : 1;
            if (failures >= ATTEMPTS) {
                throw new IllegalStateException(
                        failures + " attempts in a row have ended without a new checkpoint, the last one so: " + ended);
            }
            LOG.warn("Attempt {} has ended, and the run goes on from its newest checkpoint: {}", attempt, ended);
        }
    }

    /** Runs one attempt; returns how it has ended before it was through, or null; throws where it would end so again. */
    private String attempt(RankProgram program, int attempt, int ranks) {
        boolean encrypted = ClusterChecks.isEncrypted(spark.getConf());
        AttemptKey key = AttemptKey.random(attempt);
        spark.setJobGroup("dl4j-sr-" + attempt, "attempt " + attempt + " of " + checkpoints, true);
        try (var port = new NotePort(spark.getConf().get("spark.driver.host"), ranks, key, encrypted, observer)) {
            String ended =
                    run(ranks, new RankJob(program, key, port.address(), encrypted, deadline, checkpoints, every));
            if (ended != null && port.failure().isPresent()) {
                throw new IllegalStateException(port.failure().get());
            }
            return ended;
        } finally {
            spark.clearJobGroup();
        }
    }

    private String run(int ranks, RankJob job) {
        try {
            BarrierJob.run(spark, ranks, job);
            return null;
        } catch (Exception e) {
            if (e instanceof SparkException) { // Scala declares no exceptions
                return reason(e.getMessage());
            }
            throw e;
        }
    }

    /** The line of Spark's message that says why an executor is gone, or what a rank has waited for, or else the first. */
    private static String reason(String message) {
        List<String> lines = message == null
                ? List.of("")
                : message.lines().map(String::strip).toList();
        return lines.stream().filter(SparkTraining::saysWhy).findFirst().orElse(lines.get(0));
    }

    private static boolean saysWhy(String line) {
        return line.startsWith("ExecutorLostFailure") || line.startsWith(TransportException.class.getName());
    }

    /** Waits for as many executors as can be used, or, for a while, for enough of them; returns how many ranks that is. */
    int awaitExecutors() {
        long start = System.nanoTime();
        while (true) {
            if (spark.sc().isStopped()) {
                throw new IllegalStateException(
                        "The cluster has ended the application: its executors do not start, or cannot be reached");
            }
            int executors = spark.sc().statusTracker().getExecutorInfos().length - 1; // the driver is one of them
            long waited = System.nanoTime() - start;
            if (executors >= most || executors >= fewest && waited > FOR_ALL_EXECUTORS.toNanos()) {
                return Math.min(most, executors);
            }
            if (waited > FOR_ENOUGH_EXECUTORS.toNanos()) {
                throw new IllegalStateException(executors + " executors after " + FOR_ENOUGH_EXECUTORS.toMinutes()
                        + " minutes, expected at least " + fewest + ": give the application more"
                        + " (spark.cores.max, spark.executor.instances), or ask for fewer workers");
            }
            try {
                Thread.sleep(POLL.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("Interrupted while waiting for executors", e);
            }
        }
    }
}
