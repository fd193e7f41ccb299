package org.dl4jsr.examples.command;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.RunDirectory;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of a training run that {@code pretrain} and {@code compare} share. Null: not given. */
final class TrainingOptions {

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--text",
            paramLabel = "PATH",
            arity = "1..*",
            description = "Files and directories: UTF-8 text, JSON lines (.jsonl), both also packed (.gz), GPT-2 tokens"
                    + " (.bin) of nanoGPT or llm.c (default: Java sources of nd4j-api).")
    private List<Path> text = List.of();

    @Option(
            names = "--text-field",
            paramLabel = "NAME",
            description = "The field of JSON lines that is the text (default: text).")
    private String textField;

    @Option(
            names = "--token-cache",
            paramLabel = "DIR",
            description = "Keeps the tokens of large texts (default: token-cache beside the run directory).")
    private Path tokenCache;

    @Option(names = "--tokens", paramLabel = "N", description = "Tokens to train on (default: by preset).")
    private Long tokens;

    @Option(names = "--lr", paramLabel = "X", description = "Learning rate after the warmup (default: by preset).")
    private Double learningRate;

    @Option(names = "--beta2", paramLabel = "X", description = "Adam's second decay rate (default: 0.95).")
    private Double beta2;

    @Option(names = "--seed", paramLabel = "N", description = "Of weights, data order and rounding (default: 1).")
    private Long seed;

    /** The run that the options ask for, under the default policy; the text is not read yet. */
    RunConfig config() {
        return completed(model.config());
    }

    /** The same on top of {@code config}, which has its model. */
    RunConfig onto(RunConfig config) {
        return completed(model.onto(config));
    }

    private RunConfig completed(RunConfig config) {
        return config.withText(config.text()
                        .withPaths(textPaths())
                        .withJsonField(Objects.requireNonNullElse(
                                textField, config.text().jsonField())))
                .withBudget(config.budget()
                        .withTokens(Objects.requireNonNullElse(
                                tokens, config.budget().tokens())))
                .withLearningRate(Objects.requireNonNullElse(learningRate, config.learningRate()))
                .withBeta2(Objects.requireNonNullElse(beta2, config.beta2()))
                .withSeed(Objects.requireNonNullElse(seed, config.seed()));
    }

    /** Null where it was not given. */
    String tokenizer() {
        return model.tokenizer();
    }

    /** As {@link ModelOptions#requireNoPreset}. */
    void requireNoPreset() {
        model.requireNoPreset();
    }

    /** Null where they were not given. */
    Long tokens() {
        return tokens;
    }

    /** Where the tokens of large texts are kept for a run in {@code directory}. */
    Path tokenCache(Path directory) {
        return Objects.requireNonNullElseGet(tokenCache, () -> RunDirectory.tokenCache(directory));
    }

    /**
     * Requires that what was given, but for the tokens, is what {@code config} has; {@code directory} is where that
     * comes from.
     */
    void requireSame(RunConfig config, Path directory) {
        model.requireSame(config, directory);
        ModelOptions.requireSame(
                "--text", text.isEmpty() ? null : textPaths(), config.text().paths(), directory);
        ModelOptions.requireSame("--text-field", textField, config.text().jsonField(), directory);
        ModelOptions.requireSame("--lr", learningRate, config.learningRate(), directory);
        ModelOptions.requireSame("--beta2", beta2, config.beta2(), directory);
        ModelOptions.requireSame("--seed", seed, config.seed(), directory);
    }

    private List<String> textPaths() {
        return text.stream()
                .map(path -> path.toAbsolutePath().normalize().toString())
                .toList();
    }
}
