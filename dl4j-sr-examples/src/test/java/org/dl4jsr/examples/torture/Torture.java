package org.dl4jsr.examples.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * {@code Torture [KILLS [INPUTS [SEED]]]}: runs that are killed and resumed, and bad inputs, in processes of their own, as
 * many at a time as there are processors. Says in the end what was done and what failed; exit code 1 where something has.
 */
public final class Torture {

    private static final Duration BETWEEN_LINES = Duration.ofSeconds(30);

    /** Trials of one kind. */
    interface Part {

        /** Number of trials. */
        int size();

        /** Makes one trial; throws AssertionError where the app does not keep its promise. */
        void run(int index) throws IOException, InterruptedException;

        /** What was done so far. */
        String summary();
    }

    private final Part part;
    private final List<String> failures = new ArrayList<>();
    private final long start = System.nanoTime();
    private int done;
    private long lastLine = start;

    private Torture(Part part) {
        this.part = part;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        int kills = args.length > 0 ? Integer.parseInt(args[0]) : 1000;
        int inputs = args.length > 1 ? Integer.parseInt(args[1]) : 500;
        long seed = args.length > 2 ? Long.parseLong(args[2]) : 1;
        Path directory = Files.createTempDirectory("torture");
        System.err.println("In " + directory + ", seed " + seed);
        boolean passed = true;
        if (kills > 0) {
            Path place = Files.createDirectory(directory.resolve("kills"));
            passed &= new Torture(new KillTrials(place, kills, seed)).run();
        }
        if (inputs > 0) {
            Path place = Files.createDirectory(directory.resolve("inputs"));
            passed &= new Torture(new BadInputs(place, inputs, seed)).run();
        }
        System.exit(passed ? 0 : 1);
    }

    /** Makes all trials; returns whether all have passed. */
    private boolean run() throws InterruptedException {
        ExecutorService workers =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        for (int i = 0; i < part.size(); i++) {
            int index = i;
            workers.execute(() -> trial(index));
        }
        workers.shutdown();
        workers.awaitTermination(Long.MAX_VALUE, TimeUnit.DAYS);
        System.out.println(part.summary() + " in "
                + Duration.ofNanos(System.nanoTime() - start).toSeconds() + " s: "
                + (failures.isEmpty() ? "all as promised" : failures.size() + " failures"));
        failures.forEach(System.out::println);
        return failures.isEmpty();
    }

    private void trial(int index) {
        String failure = null;
        try {
            part.run(index);
        } catch (AssertionError e) {
            failure = e.getMessage();
        } catch (Exception e) {
            failure = "trial " + index + " of " + part.getClass().getSimpleName() + ": " + e;
        }
        progress(failure);
    }

    private synchronized void progress(String failure) {
        if (failure != null) {
            failures.add(failure);
            System.err.println("FAILED: " + failure);
        }
        done++;
        if (System.nanoTime() - lastLine > BETWEEN_LINES.toNanos()) {
            lastLine = System.nanoTime();
            System.err.println(done + " of " + part.size() + " trials: " + part.summary());
        }
    }
}
