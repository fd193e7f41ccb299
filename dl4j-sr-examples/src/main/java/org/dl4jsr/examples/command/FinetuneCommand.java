package org.dl4jsr.examples.command;

import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.run.Pretraining;
import org.dl4jsr.examples.run.PublishedModel;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.RunDirectory;
import org.dl4jsr.examples.run.RunFacilities;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code finetune}: goes on with a published GPT-2 on the user's text. */
@Command(
        name = "finetune",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains a published GPT-2 (a folder with config.json and model.safetensors) on text. Defaults:"
                + " 1,000,000 tokens, batch 4, learning rate 5e-5. Goes on by pretrain --resume.")
public final class FinetuneCommand implements Callable<Integer> {

    @Option(names = "--from", paramLabel = "DIR", required = true, description = "Folder of the published model.")
    private Path from;

    @Mixin
    private TrainingOptions training = new TrainingOptions();

    @Mixin
    private PolicyOption policy = new PolicyOption();

    @Option(names = "--out", paramLabel = "DIR", description = "Run directory (default: runs/MODEL-POLICY-TIME).")
    private Path out;

    @Mixin
    private UiOption ui = new UiOption();

    @Override
    public Integer call() {
        training.requireNoPreset();
        RunConfig model = PublishedModel.config(from, training.tokenizer());
        RunConfig config = policy.onto(training.onto(model));
        if (config.model().context() > model.model().context()) {
            throw new BadInput("--context " + config.model().context() + " is more than the "
                    + model.model().context() + " positions that the model in " + from + " knows");
        }
        Path directory = Objects.requireNonNullElseGet(out, () -> RunDirectory.newPath(config));
        return Pretraining.start(
                directory, config, new RunFacilities(training.tokenCache(directory), ui.port(), null, null));
    }
}
