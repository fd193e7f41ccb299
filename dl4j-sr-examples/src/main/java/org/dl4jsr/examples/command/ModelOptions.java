package org.dl4jsr.examples.command;

import java.nio.file.Path;
import java.util.Objects;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.run.Preset;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.TrainingBudget;
import picocli.CommandLine.Option;

/** The options that say which model runs on how much at once. Null: not given, by preset. */
public final class ModelOptions {

    @Option(
            names = "--preset",
            paramLabel = "NAME",
            description = "Model size: nano (default), small, gpt2-124m, gpt2-350m, gpt2-774m; for plan alone, as DL4J"
                    + " cannot hold it, gpt-neo-1.3b.")
    private String preset;

    @Option(names = "--tokenizer", paramLabel = "NAME", description = "bytes or gpt2 (default: by preset).")
    private String tokenizer;

    @Option(names = "--batch", paramLabel = "N", description = "Windows a pass (default: by preset).")
    private Integer batch;

    @Option(
            names = "--accumulate",
            paramLabel = "N",
            description = "Passes a step, their gradients summed in FP32 (default: by preset).")
    private Integer accumulate;

    @Option(names = "--context", paramLabel = "N", description = "Tokens a window (default: by preset).")
    private Integer context;

    /** The preset's run with these options. */
    RunConfig config() {
        RunConfig config = Preset.named(Objects.requireNonNullElse(preset, Preset.NANO.toString()))
                .config();
        return onto(tokenizer == null ? config : config.withTokenizer(tokenizer));
    }

    /** {@code config} with the sizes of these options. */
    RunConfig onto(RunConfig config) {
        TrainingBudget budget = config.budget();
        return config.withModel(config.model()
                        .withContext(Objects.requireNonNullElse(
                                context, config.model().context())))
                .withBudget(budget.withBatch(Objects.requireNonNullElse(batch, budget.batch()))
                        .withAccumulate(Objects.requireNonNullElse(accumulate, budget.accumulate())));
    }

    /** Null where it was not given. */
    String tokenizer() {
        return tokenizer;
    }

    /** Requires that the size is not given, since the model says it. */
    void requireNoPreset() {
        if (preset != null) {
            throw new BadInput(
                    "--preset " + preset + " does not go with --from, whose model has its size: leave it out");
        }
    }

    /** Requires that what was given is what {@code config} has; {@code directory} is where that comes from. */
    void requireSame(RunConfig config, Path directory) {
        requireSame("--preset", preset, config.model().preset(), directory);
        requireSame("--tokenizer", tokenizer, config.text().tokenizer(), directory);
        requireSame("--batch", batch, config.budget().batch(), directory);
        requireSame("--accumulate", accumulate, config.budget().accumulate(), directory);
        requireSame("--context", context, config.model().context(), directory);
    }

    static void requireSame(String option, Object given, Object inRun, Path directory) {
        if (given != null && !given.equals(inRun)) {
            throw new BadInput(option + " " + given + " does not fit the run in " + directory + ", which has " + inRun
                    + ": leave the option out, or start a new run without --resume");
        }
    }
}
