package org.dl4jsr.examples.run;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.Tokenizer;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.MetricsFile;
import org.dl4jsr.examples.report.MetricsRow;
import org.dl4jsr.examples.report.Progress;
import org.dl4jsr.examples.report.RunReport;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.parallel.Cluster;

/** A run in its directory: from the beginning or from its last checkpoint, up to the report. */
public final class Pretraining {

    private static final int SAMPLE_TOKENS = 300;
    private static final double SAMPLE_TEMPERATURE = 0.8;

    private final RunDirectory directory;
    private final RunConfig config;
    private final RunFacilities facilities;
    private final Corpus corpus;
    private final Tokenizer tokenizer;
    private final TextTable settings;
    private final Checkpoints checkpoints;
    private final MetricsFile metrics;

    private Pretraining(RunDirectory directory, RunFacilities facilities, Corpus corpus, Checkpoints checkpoints) {
        this.directory = directory;
        this.facilities = facilities;
        this.corpus = corpus;
        this.checkpoints = checkpoints;
        config = directory.config();
        tokenizer = Tokenizer.named(config.text().tokenizer());
        metrics = directory.metrics();
        settings = Settings.of(config, corpus, directory.path());
        if (facilities.workers() != null) {
            settings.row("Workers", Workers.description(facilities.workers(), config));
        }
    }

    /**
     * A new run in {@code path}, which must not hold one.
     *
     * @param facilities what it uses
     * @return the exit code: 0, or that of a signal that stopped it
     */
    public static int start(Path path, RunConfig config, RunFacilities facilities) {
        facilities.require();
        RunDirectory.requireNoRun(path);
        facilities.require(config);
        CompletableFuture<Corpus> reading = CompletableFuture.supplyAsync(
                () -> config.text().load(config.model().context(), facilities.tokenCache()));
        CompletableFuture<Void> json = reading.thenRun(() -> Json.indented(config)); // loads what writes JSON
        if (facilities.workers() == null) {
            Environment.requireRuntime(); // ND4J loads its libraries beside that, which for a little text takes longer
        }
        Corpus corpus = reading.join(); // a bad text is said before there is a network, which may be large
        ComputationGraph network = facilities.workers() == null
                ? GptNetwork.create(config)
                : null; // the ranks have theirs, of random weights
        json.join();
        RunConfig complete = config.withText(config.text().asRead(corpus))
                .withWeights(config.weights().copyTo(network));
        try (Cluster.Processes workers = facilities.start(path); // where there are none, there is no run directory
                RunDirectory directory = RunDirectory.create(path, complete)) {
            Pretraining run = new Pretraining(directory, facilities, corpus, directory.checkpoints());
            run.metrics.clear();
            return workers == null ? run.train(network, TrainingState.START) : run.trainOnWorkers(workers, 0);
        }
    }

    /**
     * Goes on with the run in {@code path}.
     *
     * @param check throws where the run is not the one that the user means
     * @param tokens to train on in all, no fewer than so far; null for as many
     * @param facilities what it uses
     * @return the exit code: 0, or that of a signal that stopped it
     */
    public static int resume(Path path, Consumer<RunConfig> check, Long tokens, RunFacilities facilities) {
        facilities.require();
        try (RunDirectory directory = RunDirectory.open(path)) {
            RunConfig before = directory.config();
            check.accept(before);
            RunConfig config = extended(before, tokens, path);
            facilities.require(config);
            Checkpoints checkpoints = directory.checkpoints();
            Optional<Checkpoint> newest = checkpoints.newest();
            newest.ifPresent(checkpoint -> requireSame(config, checkpoint, tokens != null, path));
            long step = newest.map(Checkpoint::step).orElse(0L);
            System.err.println("Resuming " + path + " at step " + step + " of " + config.steps());
            Corpus corpus = config.text().load(config.model().context(), facilities.tokenCache());
            if (!corpus.sha256().equals(config.text().sha256())) {
                throw new BadInput("The text is not the one that the run in " + path + " began with: put it back, or"
                        + " start a new run");
            }
            ComputationGraph network = facilities.workers() == null
                    ? GptNetwork.of(config, newest.orElse(null), checkpoints, true)
                    : null; // the ranks have theirs
            try (Cluster.Processes workers = facilities.start(path)) {
                if (!config.equals(before)) {
                    directory.change(config);
                }
                Pretraining run = new Pretraining(directory, facilities, corpus, checkpoints);
                newest.ifPresentOrElse(run::goBackTo, run.metrics::clear);
                return workers == null
                        ? run.train(network, newest.map(Checkpoint::state).orElse(TrainingState.START))
                        : run.trainOnWorkers(workers, step);
            }
        }
    }

    private static RunConfig extended(RunConfig config, Long tokens, Path path) {
        if (tokens == null) {
            return config;
        }
        RunConfig extended = config.withBudget(config.budget().withTokens(tokens));
        if (tokens < config.budget().tokens()) {
            throw new BadInput("--tokens " + tokens + " does not fit the run in " + path + ", which has "
                    + config.budget().tokens() + ": a run can be made longer, but not shorter");
        }
        return extended;
    }

    /** Throws where {@code config} is not what the run had at {@code checkpoint}, but for more tokens on purpose. */
    private static void requireSame(RunConfig config, Checkpoint checkpoint, boolean mayBeLonger, Path path) {
        Map<String, String> then = Json.fields(checkpoint.config());
        Json.fields(config).forEach((field, value) -> {
            boolean longer = mayBeLonger
                    && field.equals("budget.tokens")
                    && config.budget().tokens() > checkpoint.config().budget().tokens();
            if (!value.equals(then.get(field)) && !longer) {
                throw new BadInput(path.resolve("config.json") + " has " + field + " " + value
                        + ", and the run had " + then.get(field) + " at step " + checkpoint.step()
                        + ": put it back, or start a new run");
            }
        });
    }

    private void goBackTo(Checkpoint checkpoint) {
        checkpoints.goOnFrom(checkpoint);
        if (!metrics.goBackTo(checkpoint.step(), checkpoint.row(), checkpoint.metricsSha256())) {
            System.err.println(metrics.path() + " is not what it was at step " + checkpoint.step()
                    + ": curves will have gaps; the model is not touched by that");
        }
    }

    private void showStart() {
        System.err.print(settings);
        System.err.println("To go on after an interruption: " + resumeCommand());
    }

    private int train(ComputationGraph network, TrainingState start) {
        showStart();
        LossWatch watch = LossWatch.of(tokenizer.vocabulary(), metrics.rows());
        try (TrainingUi ui = facilities.uiPort() == null ? null : TrainingUi.start(facilities.uiPort());
                StopSignal stop = facilities.stopSignal();
                Progress progress = new Progress((int) start.step(), config.steps(), config.tokensPerStep())) {
            Trainer trainer = new Trainer(config, corpus, network, new TrainingLog(progress, metrics, watch) {
                @Override
                public void checkpoint(TrainingState reached, AtomicFile.Content model) {
                    save(model, reached);
                }
            });
            if (ui != null) {
                network.addListeners(ui.listener(config.rowEvery()));
                System.err.println("To watch it: " + ui.address());
            }
            if (!trainer.run(start, stop::isReceived)) {
                return stopped(progress, stop, "the checkpoint is written");
            }
        }
        finish(network, checkpoints, new TextTable());
        return 0;
    }

    /** The ranks begin where the newest checkpoint is, after {@code start} steps. */
    private int trainOnWorkers(Cluster.Processes processes, long start) {
        showStart();
        Workers workers;
        try (StopSignal stop = facilities.stopSignal();
                Progress progress = new Progress((int) start, config.steps(), config.tokensPerStep())) {
            workers = new Workers(progress, stop, times -> report(metrics.rows(), times, ""));
            workers.train(processes, config, directory.path(), facilities.tokenCache());
            long reached =
                    directory.checkpoints().newest().map(Checkpoint::step).orElse(0L);
            if (stop.isReceived() && reached < config.steps()) {
                // the signal may have ended the ranks before they could write one
                return stopped(
                        progress, stop, reached == 0 ? "there is no checkpoint yet" : "step " + reached + " is kept");
            }
        }
        Checkpoints written = directory.checkpoints();
        Checkpoint end = written.newest().orElseThrow();
        written.goOnFrom(end);
        finish(GptNetwork.of(config, end, written, false), written, workers.times());
        return 0;
    }

    private int stopped(Progress progress, StopSignal stop, String reached) {
        progress.line("Stopped; " + reached + ". To go on: " + resumeCommand());
        return stop.exitCode();
    }

    private String resumeCommand() {
        return "pretrain --resume " + Texts.quoted(directory.path().toString()) + facilities.options(directory.path());
    }

    private void save(AtomicFile.Content model, TrainingState state) {
        checkpoints.save(model, Checkpoint.of(state, config, metrics));
        report(metrics.rows(), new TextTable(), "");
    }

    private void report(List<MetricsRow> rows, TextTable times, String sample) {
        if (!rows.isEmpty()) {
            String title = config.model().preset() + " under " + config.policy();
            RunReport.of(title, config.model().parameters(), rows, settings, times, sample)
                    .writeTo(directory.report());
        }
    }

    private void finish(ComputationGraph network, Checkpoints written, TextTable times) {
        String text = new Sampler(network, tokenizer, config.model().context(), SAMPLE_TEMPERATURE, 0)
                .write("", SAMPLE_TOKENS, config.seed());
        List<MetricsRow> rows = metrics.rows();
        report(rows, times, text);
        MetricsRow last = rows.get(rows.size() - 1);
        TextTable files = new TextTable().row("Run directory", directory.path()).row("Model", written.zip(last.step()));
        written.best()
                .filter(best -> best.step() != last.step())
                .ifPresent(best -> files.row(
                        "Best model",
                        written.zip(best.step()) + Texts.format(" (validation loss %.4f)", best.valLoss())));
        System.out.println(
                Texts.format("%nSample (temperature %.1f):%n%s%n", SAMPLE_TEMPERATURE, Texts.printable(text)));
        System.out.print(files.row("Metrics", metrics.path()).row("Report", directory.report()));
        System.out.println(Texts.format(
                "%nvalidation loss %.4f, perplexity %.3f, %.4f bits per byte after %,d tokens",
                last.valLoss(), last.valPerplexity(), last.bitsPerByte(), last.tokens()));
        LossWatch.of(tokenizer.vocabulary(), rows).summary().ifPresent(System.out::println);
    }
}
