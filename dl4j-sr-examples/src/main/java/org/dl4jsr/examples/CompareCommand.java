package org.dl4jsr.examples;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.NonFiniteGradientException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code compare}: the same training run under each policy and seed, or under each policy, learning rate and seed, one
 * after the other in this process. The policies take turns, so that a comparison cut short is still one.
 */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains the same model under several policies and compares what comes out.")
final class CompareCommand implements Callable<Integer> {

    private static final int MOST_SEEDS = 1000;

    @Mixin
    private TrainingOptions training = new TrainingOptions();

    @Option(names = "--policies", paramLabel = "NAME", split = ",", description = "Policies (default: all six).")
    private List<String> policies =
            Arrays.stream(Bf16Policy.values()).map(Bf16Policy::toString).toList();

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "Runs a policy, with seeds from --seed up (default: ${DEFAULT-VALUE}).")
    private int seeds = 3;

    @Option(names = "--lrs", paramLabel = "X", split = ",", description = "Learning rates to sweep, instead of --lr.")
    private List<Double> learningRates = List.of();

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Directory for CSV and report (default: runs/compare-PRESET-TIME).")
    private Path out;

    @Override
    public Integer call() {
        List<RunConfig> configs = configs();
        RunConfig first = configs.get(0);
        configs.forEach(MachineMemory::require);
        Corpus corpus = Corpus.load(training.text, Tokenizer.named(first.tokenizer()));
        corpus.requireWindows(first.context());
        Path directory = Objects.requireNonNullElseGet(
                out,
                () -> Path.of(
                        "runs",
                        "compare-" + first.preset() + "-"
                                + LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss"))));
        boolean sweep = !learningRates.isEmpty();
        Path csv = directory.resolve(sweep ? "sweep.csv" : "compare.csv");
        RunDirectory.makeWritable(directory);
        if (Files.exists(csv)) {
            throw new BadInput(
                    "Directory " + directory + " already holds " + csv.getFileName() + ": choose another --out");
        }
        System.err.print(Settings.of(first, corpus, directory));

        List<ComparedRun> runs = new ArrayList<>();
        for (RunConfig config : configs) {
            System.err.printf(
                    Locale.ROOT,
                    "%nRun %d of %d: %s, learning rate %s, seed %d%n",
                    runs.size() + 1,
                    configs.size(),
                    config.policy(),
                    config.learningRate(),
                    config.seed());
            runs.add(train(config, corpus, directory));
            AtomicFile.write(csv, csv(runs, sweep));
        }
        ComparisonReport report = new ComparisonReport(runs);
        Path html = directory.resolve("compare.html");
        report.toHtml().writeTo(html);
        System.out.print(report.table());
        System.out.printf("%nWritten: %s, %s and a metrics file a run%n", csv, html);
        return 0;
    }

    /** All runs, in the order in which they go. */
    private List<RunConfig> configs() {
        if (seeds < 1 || seeds > MOST_SEEDS) {
            throw new BadInput("--seeds " + seeds + " is out of range: expected 1 to " + MOST_SEEDS);
        }
        RunConfig base = training.config(policies.get(0));
        List<Double> rates = learningRates.isEmpty() ? List.of(base.learningRate()) : learningRates;
        List<RunConfig> configs = new ArrayList<>();
        for (int seed = 0; seed < seeds; seed++) {
            for (double rate : rates) {
                for (String policy : policies) {
                    configs.add(base.with(policy, base.seed() + seed, rate));
                }
            }
        }
        if (configs.stream().distinct().count() < configs.size()) {
            throw new BadInput("--policies or --lrs names something twice");
        }
        return configs;
    }

    private static ComparedRun train(RunConfig config, Corpus corpus, Path directory) {
        ComputationGraph network = GptNetwork.create(config);
        MetricsFile metrics = new MetricsFile(directory.resolve(
                "metrics-%s-lr%s-seed%d.csv".formatted(config.policy(), config.learningRate(), config.seed())));
        metrics.truncateAfter(0);
        String failure = null;
        try (Progress progress = new Progress(0, config.steps(), config.tokensPerStep())) {
            new Trainer(config, corpus, network, new TrainingLog(progress, metrics)).run(TrainingState.START);
        } catch (NonFiniteGradientException e) {
            // a rate may be too high for a policy: that is a result
            failure = e.getMessage();
            System.err.println("This run ended early: " + failure);
        } finally {
            network.close();
        }
        return new ComparedRun(config, metrics.rows(), failure);
    }

    private static String csv(List<ComparedRun> runs, boolean sweep) {
        String header = sweep ? ComparedRun.SWEEP_CSV_HEADER : ComparedRun.CSV_HEADER;
        return runs.stream()
                .map(run -> sweep ? run.toSweepCsv() : run.toCsv())
                .collect(Collectors.joining("\n", header + "\n", "\n"));
    }
}
