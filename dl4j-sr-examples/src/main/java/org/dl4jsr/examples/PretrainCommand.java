package org.dl4jsr.examples;

import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.policy.Bf16Policy;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pretrain}: trains a GPT on text, in a run directory that a killed run can be resumed from. */
@Command(
        name = "pretrain",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Pretrains a GPT on text. Without options: nano on Java sources, in about two minutes.")
final class PretrainCommand implements Callable<Integer> {

    private static final int SAMPLE_TOKENS = 300;
    private static final double SAMPLE_TEMPERATURE = 0.8;

    @Mixin
    private TrainingOptions training = new TrainingOptions();

    @Option(
            names = "--policy",
            paramLabel = "NAME",
            description = "fp32, bf16-o1, bf16-o2, bf16-nearest, bf16-kahan or bf16-sr (default).")
    private String policy;

    @Option(names = "--out", paramLabel = "DIR", description = "Run directory (default: runs/PRESET-POLICY-TIME).")
    private Path out;

    @Option(names = "--resume", paramLabel = "DIR", description = "Go on with the run in this directory.")
    private Path resume;

    @Override
    public Integer call() {
        if (resume == null) {
            start();
        } else {
            resume();
        }
        return 0;
    }

    private void start() {
        RunConfig asked = training.config(Objects.requireNonNullElse(policy, Bf16Policy.SR.toString()));
        MachineMemory.require(asked);
        Corpus corpus = corpus(asked);
        RunConfig config = asked.withTextSha256(corpus.sha256());
        Path path = Objects.requireNonNullElseGet(
                out,
                () -> Path.of(
                        "runs",
                        config.preset() + "-" + config.policy() + "-"
                                + LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss"))));
        try (RunDirectory directory = RunDirectory.create(path, config)) {
            train(directory, directory.checkpoints(), corpus, TrainingState.START);
        }
    }

    private void resume() {
        if (out != null && !out.equals(resume)) {
            throw new BadInput("--out " + out + " and --resume " + resume + " differ: a resumed run goes on in its own"
                    + " directory; leave --out away");
        }
        RunConfig config = RunDirectory.config(resume);
        training.requireSame(config, resume);
        ModelOptions.requireSame("--policy", policy, config.policy(), resume);
        MachineMemory.require(config);
        try (RunDirectory directory = RunDirectory.open(resume)) {
            Checkpoints checkpoints = directory.checkpoints();
            TrainingState state = checkpoints.newest().orElse(TrainingState.START);
            System.err.println("Resuming " + resume + " at step " + state.step() + " of " + config.steps());
            Corpus corpus = corpus(config);
            if (!corpus.sha256().equals(config.textSha256())) {
                throw new BadInput("The text is not the one that the run in " + resume + " began with: put it back, or"
                        + " start a new run");
            }
            train(directory, checkpoints, corpus, state);
        }
    }

    private static Corpus corpus(RunConfig config) {
        Corpus corpus = Corpus.load(config.text().stream().map(Path::of).toList(), Tokenizer.named(config.tokenizer()));
        corpus.requireWindows(config.context());
        return corpus;
    }

    private void train(RunDirectory directory, Checkpoints checkpoints, Corpus corpus, TrainingState state) {
        RunConfig config = directory.config();
        ComputationGraph network =
                state.step() == 0 ? GptNetwork.create(config) : GptNetwork.restore(config, checkpoints, state.step());
        TextTable settings = Settings.of(config, corpus, directory.path());
        System.err.print(settings);
        MetricsFile metrics = directory.metrics();
        metrics.truncateAfter(state.step());
        try (Progress progress = new Progress((int) state.step(), config.steps(), config.tokensPerStep())) {
            new Trainer(config, corpus, network, new TrainingLog(progress, metrics) {
                        @Override
                        public void checkpoint(TrainingState reached) {
                            checkpoints.save(network, reached);
                        }
                    })
                    .run(state);
        }
        finish(directory, checkpoints, network, settings);
    }

    private static void finish(
            RunDirectory directory, Checkpoints checkpoints, ComputationGraph network, TextTable settings) {
        RunConfig config = directory.config();
        String text = new Sampler(network, Tokenizer.named(config.tokenizer()), config.context(), SAMPLE_TEMPERATURE, 0)
                .write("", SAMPLE_TOKENS, config.seed());
        List<MetricsRow> rows = directory.metrics().rows();
        RunReport.of(config, rows, settings, text).writeTo(directory.report());
        MetricsRow last = rows.get(rows.size() - 1);
        System.out.printf(
                "%nvalidation loss %.4f, perplexity %.3f, %.4f bits per byte after %,d tokens%n",
                last.valLoss(), last.valPerplexity(), last.bitsPerByte(), last.tokens());
        System.out.printf("%nSample (temperature %.1f):%n%s%n%n", SAMPLE_TEMPERATURE, text);
        System.out.print(new TextTable()
                .row("Run directory", directory.path())
                .row("Model", checkpoints.zip(config.steps()))
                .row("Metrics", directory.path().resolve("metrics.csv"))
                .row("Report", directory.report()));
    }
}
