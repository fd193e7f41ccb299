package org.dl4jsr.examples;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine.Option;

/** The options that say which model runs on how much at once. Null: not given, by preset. */
final class ModelOptions {

    @Option(
            names = "--preset",
            paramLabel = "NAME",
            description = "Model size: nano (default), small, gpt2-124m, gpt2-350m, gpt2-774m, gpt-neo-1.3b.")
    String preset;

    @Option(names = "--tokenizer", paramLabel = "NAME", description = "bytes or gpt2 (default: by preset).")
    String tokenizer;

    @Option(names = "--batch", paramLabel = "N", description = "Windows a pass (default: by preset).")
    Integer batch;

    @Option(
            names = "--accumulate",
            paramLabel = "N",
            description = "Passes a step, their gradients summed in FP32 (default: by preset).")
    Integer accumulate;

    @Option(names = "--context", paramLabel = "N", description = "Tokens a window (default: by preset).")
    Integer context;

    /** The run under {@code policy} with this text; for the last three, null takes the preset's. */
    RunConfig config(String policy, List<String> text, Long tokens, Double learningRate, Long seed) {
        Preset p = Preset.named(Objects.requireNonNullElse(preset, Preset.NANO.toString()));
        String tokenizerName = Objects.requireNonNullElse(tokenizer, p.tokenizer);
        return new RunConfig(
                p.toString(),
                policy,
                p.layers,
                p.heads,
                p.width,
                Objects.requireNonNullElse(context, p.context),
                paddedVocabulary(Tokenizer.named(tokenizerName)),
                p.tiedHead,
                tokenizerName,
                text,
                "",
                Objects.requireNonNullElse(tokens, p.tokens),
                Objects.requireNonNullElse(batch, p.batch),
                Objects.requireNonNullElse(accumulate, p.accumulate),
                Objects.requireNonNullElse(learningRate, p.learningRate),
                Objects.requireNonNullElse(seed, 1L));
    }

    /** Requires that what was given is what {@code config} has; {@code directory} is where that comes from. */
    void requireSame(RunConfig config, Path directory) {
        requireSame("--preset", preset, config.preset(), directory);
        requireSame("--tokenizer", tokenizer, config.tokenizer(), directory);
        requireSame("--batch", batch, config.batch(), directory);
        requireSame("--accumulate", accumulate, config.accumulate(), directory);
        requireSame("--context", context, config.context(), directory);
    }

    static void requireSame(String option, Object given, Object inRun, Path directory) {
        if (given != null && !given.equals(inRun)) {
            throw new BadInput(option + " " + given + " does not fit the run in " + directory + ", which has " + inRun
                    + ": leave the option out, or start a new run without --resume");
        }
    }

    /** A multiple of 64 suits the matrix multiplication; the ids past the tokenizer's never occur. */
    private static int paddedVocabulary(Tokenizer tokenizer) {
        return (tokenizer.vocabulary() + 63) / 64 * 64;
    }
}
