package org.dl4jsr.spark;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkContext;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.parallel.DataParallel;
import org.dl4jsr.parallel.Mode;
import org.dl4jsr.parallel.Rank;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Kills executors and drivers of a run (SIGKILL) at random moments, starts the driver again where it was killed, stops
 * executors for good (SIGSTOP), which Spark takes two minutes to find out, and compares what comes out with a run that
 * nothing has happened to.
 */
final class KillDrill {

    private static final int PARTS = 3;
    /** Between two blows there are 3 to 14 steps, and at most that many that are taken again. */
    private static final int STEPS_A_BLOW = 20;

    private static final int STEP_MILLISECONDS = 60;
    private static final int EVERY = 5;
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private final Path directory;
    private final Path steps;
    private final long end;
    private final Random random = new Random(1);
    private final List<Double> seconds = new ArrayList<>();
    private Process driver;

    private KillDrill(Path directory, long end) {
        this.directory = directory;
        this.end = end;
        steps = directory.resolve("steps");
    }

    /** What is done to a run. */
    private enum Blow {
        EXECUTOR_KILLED,
        DRIVER_KILLED,
        EXECUTOR_STOPPED
    }

    /** Arguments: executors to kill, drivers to kill, executors to stop. Or, of the driver: a folder and the steps to take. */
    public static void main(String[] arguments) throws Exception {
        if (arguments[0].startsWith("/")) {
            drive(arguments[0], Long.parseLong(arguments[1]));
            return;
        }
        var blows = new ArrayList<Blow>();
        for (Blow blow : Blow.values()) {
            int times = blow.ordinal() < arguments.length ? Integer.parseInt(arguments[blow.ordinal()]) : 0;
            blows.addAll(Collections.nCopies(times, blow));
        }
        Collections.shuffle(blows, new Random(1));
        Path directory = Files.createTempDirectory("kill-drill");
        new KillDrill(directory, (long) STEPS_A_BLOW * (blows.size() + 1)).run(blows);
        System.exit(0);
    }

    /** A driver: begins the run in the folder, or goes on with it. */
    private static void drive(String folder, long end) throws IOException {
        SparkContext spark = LocalCluster.start("kill drill", 2, 1, 512);
        SparkTraining.on(spark)
                .workers(2, 2)
                .checkpoints("file://" + folder + "/run", EVERY)
                .deadline(Duration.ofSeconds(30))
                .run(rank -> rank.train(
                        SparkTrainingTest::network,
                        Mode.SHARDED,
                        end,
                        PARTS,
                        (step, part) -> slow(folder, step, part)));
        spark.stop();
    }

    /** A batch, once some time has gone by; says which step it is of. */
    private static MultiDataSet slow(String folder, long step, int part) {
        try {
            TimeUnit.MILLISECONDS.sleep(STEP_MILLISECONDS);
            if (part == 0) {
                Files.writeString(
                        Path.of(folder, "steps"),
                        System.currentTimeMillis() + " " + step + "\n",
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return SparkTrainingTest.batch(step, part);
    }

    private void run(List<Blow> blows) throws Exception {
        driver = startDriver();
        awaitStepAfter(System.currentTimeMillis());
        for (Blow blow : blows) {
            awaitSteps(3 + random.nextInt(12));
            TimeUnit.MILLISECONDS.sleep(random.nextInt(5 * STEP_MILLISECONDS));
            long now = System.currentTimeMillis();
            switch (blow) {
                case EXECUTOR_KILLED -> anExecutor().destroyForcibly();
                case EXECUTOR_STOPPED -> new ProcessBuilder(
                                "kill", "-STOP", "" + anExecutor().pid())
                        .start()
                        .waitFor();
                case DRIVER_KILLED -> killDriver();
            }
            // executors go on for a moment without their driver
            long since = blow == Blow.DRIVER_KILLED ? System.currentTimeMillis() : now;
            double waited = (awaitStepAfter(since) - now) / 1e3;
            if (blow == Blow.EXECUTOR_KILLED) {
                seconds.add(waited);
            }
            System.out.printf("%s; the next step came after %.1f s%n", blow, waited);
        }
        if (!driver.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS) || driver.exitValue() != 0) {
            throw new IllegalStateException("The driver has not come to the end");
        }
        compare();
        for (Blow blow : Blow.values()) {
            System.out.println(blow + ": " + Collections.frequency(blows, blow));
        }
        if (!seconds.isEmpty()) {
            seconds.sort(null);
            System.out.printf(
                    "median %.1f s to the next step after an executor was killed%n", seconds.get(seconds.size() / 2));
        }
    }

    private void killDriver() throws Exception {
        List<ProcessHandle> orphans = executorProcesses();
        driver.destroyForcibly().waitFor();
        long gone = System.currentTimeMillis();
        for (ProcessHandle orphan : orphans) {
            orphan.onExit().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        System.out.printf(
                "its executors ended by themselves after %.1f s%n", (System.currentTimeMillis() - gone) / 1e3);
        driver = startDriver();
    }

    private ProcessHandle anExecutor() throws InterruptedException {
        List<ProcessHandle> executors = executorProcesses();
        return executors.get(random.nextInt(executors.size()));
    }

    private Process startDriver() throws IOException {
        var command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                KillDrill.class.getName(),
                directory.toString(),
                "" + end));
        Path log = directory.resolve("driver.log");
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    private List<ProcessHandle> executorProcesses() throws InterruptedException {
        while (true) {
            List<ProcessHandle> executors =
                    driver.descendants().filter(KillDrill::isExecutor).toList();
            if (!executors.isEmpty()) {
                return executors;
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    /** By Linux's own account: Java does not tell command lines with a long class path. */
    private static boolean isExecutor(ProcessHandle process) {
        try {
            return Files.readString(Path.of("/proc", "" + process.pid(), "cmdline"))
                    .contains("CoarseGrainedExecutorBackend");
        } catch (IOException e) {
            return false; // it has ended since
        }
    }

    /** When the first step after {@code time}, in milliseconds, began; one that was under way does not count. */
    private long awaitStepAfter(long time) throws Exception {
        long start = System.nanoTime();
        while (System.nanoTime() - start < PATIENCE.toNanos()) {
            if (Files.exists(steps)) {
                for (String line : Files.readAllLines(steps)) {
                    String[] words = line.split(" ", -1);
                    if (words.length == 2 && Long.parseLong(words[0]) > time + 2 * STEP_MILLISECONDS) {
                        return Long.parseLong(words[0]);
                    }
                }
            }
            if (!driver.isAlive()) {
                break;
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
        throw new IllegalStateException("No step any more; see " + directory.resolve("driver.log"));
    }

    /** Waits until so many more steps have begun. */
    private void awaitSteps(int count) throws Exception {
        long before = Files.readAllLines(steps).size();
        long start = System.nanoTime();
        while (Files.readAllLines(steps).size() < before + count) {
            if (!driver.isAlive() || System.nanoTime() - start > PATIENCE.toNanos()) {
                throw new IllegalStateException("No step any more; see " + directory.resolve("driver.log"));
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private void compare() throws IOException {
        MultiLayerNetwork alone = SparkTrainingTest.network();
        var one = new DataParallel(alone);
        for (long step = 0; step < end; step++) {
            one.step(step, PARTS, SparkTrainingTest::batch);
        }
        MultiLayerNetwork trained = MultiLayerNetwork.load(
                directory.resolve("run").resolve(Rank.MODEL).toFile(), true);
        boolean same = Arrays.equals(SparkTrainingTest.bits(alone), SparkTrainingTest.bits(trained));
        System.out.println(
                (same ? "The same bits as" : "OTHER BITS THAN") + " one rank that takes all " + end + " steps alone");
        if (!same) {
            throw new IllegalStateException("Weights or updater state differ");
        }
    }
}
