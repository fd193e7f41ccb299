package org.dl4jsr.examples.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Bytes;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.Display;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.parallel.Cluster;
import org.dl4jsr.parallel.Mode;
import org.dl4jsr.parallel.Observer;

/**
 * The ranks of {@code pretrain --workers}, each a process with its replica of the network, and how this process hears of
 * them. They end with the bits of one process that has as many threads as each of them.
 */
final class Workers implements Observer {

    private final Display display;
    private final StopSignal stop;
    private final Consumer<TextTable> checkpoint;
    private long nanoseconds;
    private long communication;

    /** @param checkpoint hears of each new one, with the {@link #times} so far */
    Workers(Display display, StopSignal stop, Consumer<TextTable> checkpoint) {
        this.display = display;
        this.stop = stop;
        this.checkpoint = checkpoint;
    }

    /** Throws where there is no cluster, or one that is set up so that it cannot work. */
    static void requireCluster() {
        try {
            Cluster.find().require();
        } catch (IllegalStateException | IllegalArgumentException e) {
            throw new BadInput("--workers: " + e.getMessage(), e);
        }
    }

    /** Threads of each, where all are on this machine: as the environment says, or its processors in equal parts. */
    static int threads(int workers, Map<String, String> environment, int processors) {
        String threads = environment.get("OMP_NUM_THREADS");
        return threads == null ? Math.max(1, processors / workers) : Integer.parseInt(threads.strip());
    }

    private static int threads(int workers) {
        return threads(workers, System.getenv(), Runtime.getRuntime().availableProcessors());
    }

    /** What the table of settings says of them. */
    static String description(int workers, RunConfig config) {
        return Texts.format(
                "%s, a process each, %s; %s: %s of optimizer state a rank, about %s of memory",
                Texts.count(workers, "rank"),
                SparkProcess.isSubmitted() ? "threads by spark.task.cpus" : Texts.count(threads(workers), "thread"),
                Mode.SHARDED,
                Bytes.format(MemoryPlan.cost(config, workers).state()),
                Bytes.format(MemoryPlan.of(config, workers).total()));
    }

    /** Their processes, which do nothing yet. */
    static Cluster.Processes start(int workers, Path directory) {
        System.err.println("Starting " + Texts.count(workers, "worker"));
        int megabytes = (int) Math.min(Integer.MAX_VALUE, Runtime.getRuntime().maxMemory() >> 20);
        try {
            return Cluster.find()
                    .start(new Cluster.Request(
                            "pretrain " + directory.getFileName(), workers, threads(workers), megabytes));
        } catch (IllegalStateException | IllegalArgumentException e) {
            throw new BadInput("--workers: " + e.getMessage(), e);
        }
    }

    /** Trains from the newest checkpoint to the end, or until it is to stop. */
    void train(Cluster.Processes processes, RunConfig config, Path directory, Path tokenCache) {
        Path folder = directory.toAbsolutePath();
        try {
            processes.run(folder.toUri().toString(), this, RankTraining.of(config, folder, tokenCache));
        } catch (IllegalStateException | IllegalArgumentException | IOException e) {
            throw new BadInput("--workers: " + e.getMessage(), e);
        }
    }

    @Override
    public void note(String text) {
        if (text.equals(RankNote.CHECKPOINT)) {
            checkpoint.accept(times());
        } else {
            long[] times = RankNote.show(text, display);
            nanoseconds += times[0];
            communication += times[1];
        }
    }

    @Override
    public boolean isStopWanted() {
        return stop.isReceived();
    }

    /** How the first rank has spent its steps so far. */
    TextTable times() {
        return new TextTable()
                .row("Compute", seconds(nanoseconds - communication))
                .row("Communication", seconds(communication));
    }

    private String seconds(long part) {
        return Texts.format("%.1f s, %.1f%% of the steps' time", part / 1e9, 100.0 * part / Math.max(1, nanoseconds));
    }
}
