package org.dl4jsr.examples.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.policy.Bf16Runtime;

/** The process that measures speed and memory of training under one configuration and prints its {@link Result}. */
final class ThroughputRun {

    private static final double WARMUP_SECONDS = 8;
    private static final double SECONDS = 5;
    private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");

    /**
     * @param msPerStep milliseconds of a whole step
     * @param msOptimizer the least in the optimizer, of the warm-up's steps, in which a GPU is waited for before it
     * @param peakBytes the GPU's memory that the process took, else its largest resident memory; 0 where the system does
     *     not tell
     */
    record Result(double msPerStep, double msOptimizer, long peakBytes) {

        double tokensPerSecond(RunConfig config) {
            return 1000 * config.tokensPerStep() / msPerStep;
        }

        double gflops(RunConfig config) {
            return tokensPerSecond(config) * config.model().flopsPerToken() / 1e9;
        }

        static Result best(Result a, Result b) {
            return new Result(
                    Math.min(a.msPerStep, b.msPerStep),
                    Math.min(a.msOptimizer, b.msOptimizer),
                    Math.min(a.peakBytes, b.peakBytes));
        }
    }

    private ThroughputRun() {}

    /** Measures in a process of its own. */
    static Result of(RunConfig config) throws IOException, InterruptedException {
        return Json.read(MeasuringProcess.output(ThroughputRun.class, config), Result.class);
    }

    /** @param args the {@link RunConfig} in JSON */
    public static void main(String[] args) throws IOException {
        MeasuringProcess.measure(args[0], config -> Json.compact(measure(config, WARMUP_SECONDS, SECONDS)));
    }

    static Result measure(RunConfig config, double warmupSeconds, double seconds) throws IOException {
        TrainingStep step = new TrainingStep(config);
        double msOptimizer = step.msOptimizer(warmupSeconds);
        double msPerStep = step.msEach(seconds);
        OptionalLong ofGpu = Bf16Runtime.gpuMemoryTaken();
        return new Result(msPerStep, msOptimizer, ofGpu.isPresent() ? ofGpu.getAsLong() : peakRssBytes());
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
