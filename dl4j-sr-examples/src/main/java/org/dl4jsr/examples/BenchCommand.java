package org.dl4jsr.examples;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code bench}: speed and memory of training under each policy. Each measurement has a Java process of its own, so
 * that policies do not share warm code or memory; the policies take turns for some rounds, and the fastest round
 * counts.
 */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures speed and memory of training under each policy.")
final class BenchCommand implements Callable<Integer> {

    static final String CSV_HEADER =
            "policy,preset,tok_per_s,ms_per_step,ms_optimizer,gflops,model_state_bytes," + "peak_rss_bytes";

    private static final int ROUNDS = 3;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--policies",
            paramLabel = "NAME",
            split = ",",
            description = "Policies, the first one being the measure (default: ${DEFAULT-VALUE}).")
    private List<String> policies = List.of("fp32", "bf16-o1", "bf16-o2", "bf16-sr");

    @Option(names = "--profile", description = "Show instead where a step's time goes, against the least it could be.")
    private boolean profile;

    @Option(
            names = "--grow",
            paramLabel = "NAME",
            split = ",",
            description = "Show instead how cost grows with width, depth, context, batch: one at a time, one round.")
    private List<String> grow;

    @Option(names = "--out", paramLabel = "DIR", description = "Write bench.csv there.")
    private Path out;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Map<String, RunConfig> configs = new LinkedHashMap<>();
        for (String policy : policies) {
            RunConfig config = model.config(policy, List.of(), null, null, null);
            MachineMemory.require(config);
            configs.put(policy, config);
        }
        if (profile) {
            for (RunConfig config : configs.values()) {
                System.out.println(run(ProfileRun.class, config));
            }
            return 0;
        }
        if (grow != null) {
            List<Dimension> dimensions = grow.stream().map(Dimension::named).toList();
            for (RunConfig config : configs.values()) {
                grow(config, dimensions);
            }
            return 0;
        }
        if (out != null) {
            RunDirectory.makeWritable(out);
        }
        Map<String, BenchRun.Result> best = new LinkedHashMap<>();
        for (int round = 1; round <= ROUNDS; round++) {
            for (Map.Entry<String, RunConfig> entry : configs.entrySet()) {
                BenchRun.Result result = Json.read(run(BenchRun.class, entry.getValue()), BenchRun.Result.class);
                System.err.printf(
                        Locale.ROOT,
                        "round %d of %d  %-12s %,.0f tok/s%n",
                        round,
                        ROUNDS,
                        entry.getKey(),
                        result.tokensPerSecond(entry.getValue()));
                best.merge(entry.getKey(), result, BenchRun.Result::best);
            }
        }
        report(configs, best);
        return 0;
    }

    private static void grow(RunConfig base, List<Dimension> dimensions) throws IOException, InterruptedException {
        System.out.printf("%s, %s%n", base.preset(), base.policy());
        for (Dimension dimension : dimensions) {
            TextTable table = new TextTable()
                    .row(
                            dimension,
                            "tokens a step",
                            "parameters",
                            "ms/step",
                            "tok/s",
                            "GFLOP/s",
                            "model state",
                            "peak memory");
            for (int value : dimension.values) {
                RunConfig config = dimension.of(base, value);
                MachineMemory.require(config);
                BenchRun.Result result = Json.read(run(BenchRun.class, config), BenchRun.Result.class);
                double speed = result.tokensPerSecond(config);
                table.row(
                        value,
                        config.tokensPerStep(),
                        config.parameters(),
                        text("%.1f", result.msPerStep()),
                        text("%.0f", speed),
                        text("%.0f", speed * config.flopsPerToken() / 1e9),
                        Bytes.format(MemoryPlan.of(config).modelState()),
                        Bytes.format(result.peakRssBytes()));
            }
            System.out.printf("%n%s", table);
        }
    }

    private void report(Map<String, RunConfig> configs, Map<String, BenchRun.Result> best) {
        TextTable table = new TextTable()
                .row(
                        "policy",
                        "tok/s",
                        "ratio",
                        "ms/step",
                        "ms optimizer",
                        "GFLOP/s",
                        "model state",
                        "ratio",
                        "peak memory",
                        "ratio");
        StringBuilder csv = new StringBuilder(CSV_HEADER).append('\n');
        RunConfig firstConfig = configs.values().iterator().next();
        BenchRun.Result first = best.values().iterator().next();
        best.forEach((policy, result) -> {
            RunConfig config = configs.get(policy);
            double speed = result.tokensPerSecond(config);
            double gflops = speed * config.flopsPerToken() / 1e9;
            long state = MemoryPlan.of(config).modelState();
            table.row(
                    policy,
                    text("%,.0f", speed),
                    ratio(speed, first.tokensPerSecond(firstConfig)),
                    text("%.1f", result.msPerStep()),
                    text("%.2f", result.msOptimizer()),
                    text("%.0f", gflops),
                    Bytes.format(state),
                    ratio(state, MemoryPlan.of(firstConfig).modelState()),
                    Bytes.format(result.peakRssBytes()),
                    ratio(result.peakRssBytes(), first.peakRssBytes()));
            csv.append(text(
                    "%s,%s,%.1f,%.3f,%.3f,%.1f,%d,%d%n",
                    policy,
                    config.preset(),
                    speed,
                    result.msPerStep(),
                    result.msOptimizer(),
                    gflops,
                    state,
                    result.peakRssBytes()));
        });
        System.out.printf(
                "%s, batch %d x %d, context %d; best of %d rounds, each in a process of its own%n%n",
                firstConfig.preset(), firstConfig.batch(), firstConfig.accumulate(), firstConfig.context(), ROUNDS);
        System.out.print(table);
        if (out != null) {
            AtomicFile.write(out.resolve("bench.csv"), csv.toString());
            System.out.printf("%nWritten: %s%n", out.resolve("bench.csv"));
        }
    }

    /** Runs {@code program} on {@code config} in a Java process like this one and returns what it prints. */
    private static String run(Class<?> program, RunConfig config) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName(), Json.compact(config)));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(
                    "The measurement of " + config.policy() + " ended with exit code " + process.exitValue());
        }
        return output;
    }

    private static String ratio(double value, double first) {
        return text("%.2f", value / first);
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
