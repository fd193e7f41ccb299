package org.dl4jsr.examples.run;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.Tokenizer;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.MetricsFile;
import org.dl4jsr.examples.report.MetricsRow;
import org.dl4jsr.examples.report.Progress;
import org.dl4jsr.examples.report.RunReport;
import org.dl4jsr.examples.report.TextTable;

/** A run in its directory: from the beginning or from its last checkpoint, up to the report. */
public final class Pretraining {

    private static final int SAMPLE_TOKENS = 300;
    private static final double SAMPLE_TEMPERATURE = 0.8;

    private final RunDirectory directory;
    private final Corpus corpus;
    private final TextTable settings;
    private final Checkpoints checkpoints;

    private Pretraining(RunDirectory directory, Corpus corpus, Checkpoints checkpoints) {
        this.directory = directory;
        this.corpus = corpus;
        this.checkpoints = checkpoints;
        settings = Settings.of(directory.config(), corpus, directory.path());
    }

    /** A new run in {@code path}, which must not hold one. */
    public static void start(Path path, RunConfig config) {
        MachineMemory.require(config);
        Corpus corpus = config.text().load(config.model().context());
        RunConfig complete = config.withText(config.text().withSha256(corpus.sha256()));
        try (RunDirectory directory = RunDirectory.create(path, complete)) {
            new Pretraining(directory, corpus, directory.checkpoints()).train(TrainingState.START);
        }
    }

    /**
     * Goes on with the run in {@code path}.
     *
     * @param check throws where the run is not the one that the user means
     */
    public static void resume(Path path, Consumer<RunConfig> check) {
        RunConfig config = RunDirectory.config(path);
        check.accept(config);
        MachineMemory.require(config);
        try (RunDirectory directory = RunDirectory.open(path)) {
            Checkpoints checkpoints = directory.checkpoints();
            TrainingState state = checkpoints.newest().orElse(TrainingState.START);
            System.err.println("Resuming " + path + " at step " + state.step() + " of " + config.steps());
            Corpus corpus = config.text().load(config.model().context());
            if (!corpus.sha256().equals(config.text().sha256())) {
                throw new BadInput("The text is not the one that the run in " + path + " began with: put it back, or"
                        + " start a new run");
            }
            new Pretraining(directory, corpus, checkpoints).train(state);
        }
    }

    private void train(TrainingState start) {
        RunConfig config = directory.config();
        ComputationGraph network =
                start.step() == 0 ? GptNetwork.create(config) : GptNetwork.restore(config, checkpoints, start.step());
        System.err.print(settings);
        MetricsFile metrics = directory.metrics();
        metrics.truncateAfter(start.step());
        try (Progress progress = new Progress((int) start.step(), config.steps(), config.tokensPerStep())) {
            new Trainer(config, corpus, network, new TrainingLog(progress, metrics) {
                        @Override
                        public void checkpoint(TrainingState reached) {
                            checkpoints.save(network, reached);
                        }
                    })
                    .run(start);
        }
        finish(network);
    }

    private void finish(ComputationGraph network) {
        RunConfig config = directory.config();
        String text = new Sampler(
                        network,
                        Tokenizer.named(config.text().tokenizer()),
                        config.model().context(),
                        SAMPLE_TEMPERATURE,
                        0)
                .write("", SAMPLE_TOKENS, config.seed());
        List<MetricsRow> rows = directory.metrics().rows();
        String title = config.model().preset() + " under " + config.policy();
        RunReport.of(title, config.model().parameters(), rows, settings, text).writeTo(directory.report());
        MetricsRow last = rows.get(rows.size() - 1);
        System.out.println(Texts.format(
                "%nvalidation loss %.4f, perplexity %.3f, %.4f bits per byte after %,d tokens",
                last.valLoss(), last.valPerplexity(), last.bitsPerByte(), last.tokens()));
        System.out.println(Texts.format("%nSample (temperature %.1f):%n%s%n", SAMPLE_TEMPERATURE, text));
        System.out.print(new TextTable()
                .row("Run directory", directory.path())
                .row("Model", checkpoints.zip(config.steps()))
                .row("Metrics", directory.metrics().path())
                .row("Report", directory.report()));
    }
}
