package org.dl4jsr.examples.run;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.Tokenizer;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.DirectoryLock;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.ComparedRun;
import org.dl4jsr.examples.report.ComparisonReport;
import org.dl4jsr.examples.report.MetricsFile;
import org.dl4jsr.examples.report.Progress;
import org.dl4jsr.updater.NonFiniteGradientException;

/**
 * The same model trained on the same data under several configurations, one after the other in this process; they
 * differ in policy, learning rate and seed.
 */
public final class Comparison {

    private final List<RunConfig> configs;
    private final Corpus corpus;
    private final Path directory;
    private final boolean sweep;
    /** What is to be said of single runs. */
    private final List<String> notes = new ArrayList<>();

    private Comparison(List<RunConfig> configs, Corpus corpus, Path directory, boolean sweep) {
        this.configs = configs;
        this.corpus = corpus;
        this.directory = directory;
        this.sweep = sweep;
    }

    /**
     * Trains, and writes CSV and report into {@code directory}, which must not hold a comparison of the kind.
     *
     * @param configs all runs, in their order
     * @param sweep whether learning rates are compared, too
     * @param tokenCache directory that keeps the tokens of large texts
     */
    public static void run(List<RunConfig> configs, Path directory, boolean sweep, Path tokenCache) {
        RunConfig first = configs.get(0);
        configs.forEach(MachineMemory::require);
        Corpus corpus = first.text().load(first.model().context(), tokenCache);
        Environment.requireRuntime();
        try (DirectoryLock lock = DirectoryLock.of(directory)) {
            new Comparison(configs, corpus, directory, sweep).run();
        }
    }

    private void run() {
        RunConfig first = configs.get(0);
        Path csv = directory.resolve(sweep ? "sweep.csv" : "compare.csv");
        AtomicFile.requireNew(csv);
        System.err.print(Settings.of(first, corpus, directory));

        List<ComparedRun> runs = new ArrayList<>();
        for (RunConfig config : configs) {
            System.err.println(Texts.format(
                    "%nRun %d of %d: %s, learning rate %s, seed %d",
                    runs.size() + 1, configs.size(), config.policy(), config.learningRate(), config.seed()));
            runs.add(train(config));
            AtomicFile.write(csv, csv(runs));
        }
        ComparisonReport report = new ComparisonReport(runs);
        Path html = directory.resolve("compare.html");
        System.out.print(report.table());
        notes.forEach(System.out::println);
        report.toHtml(first.model().preset(), first.model().parameters(), (long) first.steps() * first.tokensPerStep())
                .writeTo(html);
        System.out.println(Texts.format("%nWritten: %s, %s and a metrics file a run", csv, html));
    }

    private ComparedRun train(RunConfig config) {
        ComputationGraph network = GptNetwork.create(config);
        MetricsFile metrics = new MetricsFile(directory.resolve(
                Texts.format("metrics-%s-lr%s-seed%d.csv", config.policy(), config.learningRate(), config.seed())));
        metrics.clear();
        LossWatch watch =
                new LossWatch(Tokenizer.named(config.text().tokenizer()).vocabulary());
        String failure = null;
        try (Progress progress = new Progress(0, config.steps(), config.tokensPerStep())) {
            new Trainer(config, corpus, network, new TrainingLog(progress, metrics, watch))
                    .run(TrainingState.START, () -> false);
        } catch (NonFiniteGradientException e) {
            // a rate may be too high for a policy: that is a result
            failure = e.getMessage();
            System.err.println("This run ended early: " + failure);
        } finally {
            network.close();
        }
        watch.summary()
                .ifPresent(text -> notes.add(Texts.format(
                        "%s, learning rate %s, seed %d: %s",
                        config.policy(), config.learningRate(), config.seed(), text)));
        return new ComparedRun(config.policy(), config.learningRate(), config.seed(), metrics.rows(), failure);
    }

    private String csv(List<ComparedRun> runs) {
        String header = sweep ? ComparedRun.SWEEP_CSV_HEADER : ComparedRun.CSV_HEADER;
        return runs.stream()
                .map(run -> sweep ? run.toSweepCsv() : run.toCsv())
                .collect(Collectors.joining("\n", header + "\n", "\n"));
    }
}
