package org.dl4jsr.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.dataset.DataSet;

/** One measurement of {@link BenchCommand}: a process that trains on random tokens and prints its {@link Result}. */
final class BenchRun {

    private static final double WARMUP_SECONDS = 3;
    private static final double SECONDS = 5;
    private static final int OPTIMIZER_STEPS = 5;
    private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");

    /**
     * @param msPerStep milliseconds of a whole step
     * @param msOptimizer of these, in the optimizer
     * @param peakRssBytes largest memory of the process; 0 where the system does not tell
     */
    record Result(double msPerStep, double msOptimizer, long peakRssBytes) {

        double tokensPerSecond(RunConfig config) {
            return 1000 * config.tokensPerStep() / msPerStep;
        }

        static Result best(Result a, Result b) {
            return new Result(
                    Math.min(a.msPerStep, b.msPerStep),
                    Math.min(a.msOptimizer, b.msOptimizer),
                    Math.min(a.peakRssBytes, b.peakRssBytes));
        }
    }

    private BenchRun() {}

    /** @param args the {@link RunConfig} in JSON */
    public static void main(String[] args) throws IOException {
        JavaCppSettings.apply();
        RunConfig config = Json.read(args[0], RunConfig.class);
        System.out.println(Json.compact(measure(config, WARMUP_SECONDS, SECONDS)));
        System.exit(0);
    }

    static Result measure(RunConfig config, double warmupSeconds, double seconds) throws IOException {
        ComputationGraph network = GptNetwork.create(config);
        Runnable step = step(config, network);
        msEach(step, warmupSeconds);
        double msPerStep = msEach(step, seconds);
        return new Result(msPerStep, msOptimizer(network, batches(config).random(1, 0, 0)), peakRssBytes());
    }

    /** A training step of {@code network} on random tokens. */
    static Runnable step(RunConfig config, ComputationGraph network) {
        TokenBatches batches = batches(config);
        if (config.accumulate() == 1) {
            return () -> network.fit(batches.random(1, 0, 0));
        }
        GradientAccumulation accumulation = new GradientAccumulation(network);
        return () -> accumulation.step(IntStream.range(0, config.accumulate())
                .mapToObj(part -> batches.random(1, 0, part))
                .iterator());
    }

    /** Mean time of {@code action}, repeated for {@code seconds} and at least twice. */
    static double msEach(Runnable action, double seconds) {
        long start = System.nanoTime();
        int count = 0;
        while (count < 2 || System.nanoTime() - start < seconds * 1e9) {
            action.run();
            count++;
        }
        return (System.nanoTime() - start) / 1e6 / count;
    }

    private static double msOptimizer(ComputationGraph network, DataSet batch) {
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < OPTIMIZER_STEPS; i++) {
            network.setInputs(batch.getFeatures());
            network.setLabels(batch.getLabels());
            network.computeGradientAndScore();
            long start = System.nanoTime();
            OptimizerStep.take(network);
            best = Math.min(best, (System.nanoTime() - start) / 1e6);
        }
        return best;
    }

    private static TokenBatches batches(RunConfig config) {
        TokenBuffer tokens = new TokenBuffer();
        Random random = new Random(1);
        for (int i = 0; i < 64 * config.context(); i++) {
            tokens.add(random.nextInt(config.vocabulary()));
        }
        return new TokenBatches(tokens, config.batch(), config.context());
    }

    private static long peakRssBytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        Matcher matcher = PEAK.matcher(Files.readString(status));
        return matcher.find() ? 1024 * Long.parseLong(matcher.group(1)) : 0;
    }
}
