package org.dl4jsr.examples.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.run.ModelCard;
import org.dl4jsr.examples.run.TrainedModel;
import org.dl4jsr.weights.Gpt2Export;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code export}: a trained model for other programs. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Writes a trained model as a GPT-2 for Hugging Face's transformers, or for llama.cpp.")
public final class ExportCommand implements Callable<Integer> {

    @Option(
            names = "--model",
            paramLabel = "PATH",
            required = true,
            description = "Run directory, or one of its checkpoint-STEP.zip.")
    private Path model;

    @Option(names = "--to", paramLabel = "DIR", required = true, description = "New folder for the files.")
    private Path target;

    @Option(
            names = "--format",
            paramLabel = "NAME",
            description = "safetensors (default): a folder for transformers; or gguf.")
    private String format = "safetensors";

    @Option(
            names = "--dtype",
            paramLabel = "NAME",
            description = "bf16 or f32, with the digits of master weights (default: the policy's type of weights).")
    private String type;

    @Override
    public Integer call() {
        if (!format.equals("safetensors") && !format.equals("gguf")) {
            throw new BadInput("Unknown format '" + format + "': choose safetensors or gguf");
        }
        if (type != null && !type.equals("bf16") && !type.equals("f32")) {
            throw new BadInput("Unknown dtype '" + type + "': choose bf16 or f32");
        }
        TrainedModel trained = TrainedModel.at(model);
        Gpt2Export export = Gpt2Export.of(trained.network())
                .tokenizer(trained.tokenizer().pairs())
                .card(ModelCard.of(trained));
        if (type != null) {
            export.dataType(type.equals("f32") ? DataType.FLOAT : DataType.BFLOAT16);
        }
        try {
            if (format.equals("gguf")) {
                export.toGguf(target);
            } else {
                export.toSafetensors(target);
            }
        } catch (IOException e) {
            throw new BadInput(BadInput.reason(e), e);
        }
        System.out.println(target);
        return 0;
    }
}
