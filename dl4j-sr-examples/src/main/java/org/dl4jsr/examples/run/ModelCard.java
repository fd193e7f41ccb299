package org.dl4jsr.examples.run;

import java.nio.file.Path;
import java.util.stream.Collectors;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.MetricsRow;

/** What is said about a model that is handed on: what it is, what it has learned from, how well, and what is unknown. */
public final class ModelCard {

    private ModelCard() {}

    /** Markdown, with the settings that Hugging Face reads before it. */
    public static String of(TrainedModel model) {
        Checkpoint checkpoint = model.checkpoint();
        RunConfig config = checkpoint.config();
        ModelShape shape = config.model();
        StringBuilder card = new StringBuilder();
        card.append("---\nlibrary_name: transformers\npipeline_tag: text-generation\n");
        card.append("tags:\n- gpt2\n- dl4j-sr\n---\n\n");
        card.append("# ")
                .append(shape.preset())
                .append(", ")
                .append(config.policy())
                .append("\n\n");
        card.append("A GPT-2 that dl4j-sr has trained. Nobody has looked at what it says: use it for experiments.\n\n");
        card.append("| | |\n|---|---|\n");
        row(
                card,
                "Model",
                Texts.format(
                        "%d layers, width %d, %d heads, context %d, %,d parameters",
                        shape.layers(), shape.width(), shape.heads(), shape.context(), shape.parameters()));
        row(card, "Policy", config.policy() + ": " + Settings.dataType(config.bf16Policy()));
        row(card, "Rounding", Settings.rounding(config.bf16Policy()));
        row(
                card,
                "Began with",
                config.weights().areRandom()
                        ? "random weights"
                        : fileName(config.weights().path()) + " (SHA-256 of the weights "
                                + config.weights().sha256() + ")");
        row(
                card,
                "Trained on",
                Texts.format(
                        "%,d of %,d tokens, %,d steps of %,d",
                        checkpoint.state().tokens(),
                        (long) config.steps() * config.tokensPerStep(),
                        checkpoint.step(),
                        config.tokensPerStep()));
        row(
                card,
                "Text",
                Texts.format(
                        "%s (SHA-256 %s): %,d tokens for training, %,d kept for validation",
                        text(config.text()),
                        config.text().sha256(),
                        config.text().trainingTokens(),
                        config.text().validationTokens()));
        row(card, "Tokenizer", config.text().tokenizer());
        row(card, "Validation loss", loss(checkpoint));
        row(card, "Learning rate", Double.toString(config.learningRate()));
        row(card, "Beta2", Double.toString(config.beta2()));
        row(card, "Seed", Long.toString(config.seed()));
        row(card, "Steps skipped", Long.toString(checkpoint.state().skipped()));
        row(card, "Exported by", "dl4j-sr " + Build.current());
        return card.toString();
    }

    private static String text(TrainingText text) {
        return text.paths().isEmpty()
                ? "the default corpus"
                : text.paths().stream().map(ModelCard::fileName).collect(Collectors.joining(", "));
    }

    /** Where it was on this machine is nobody's business. */
    private static String fileName(String path) {
        return Texts.oneLine(String.valueOf(Path.of(path).getFileName()));
    }

    private static String loss(Checkpoint checkpoint) {
        MetricsRow row = checkpoint.row();
        if (row == null) {
            return "unknown: no row of metrics yet";
        }
        String loss = row.validated()
                ? Texts.format(
                        "%.4f a token, perplexity %.3f, %.4f bits a byte",
                        row.valLoss(), row.valPerplexity(), row.bitsPerByte())
                : Texts.format("not measured; training loss %.4f", row.trainLoss());
        return row.step() == checkpoint.step() ? loss : loss + ", at step " + row.step();
    }

    private static void row(StringBuilder card, String name, String value) {
        card.append("| ")
                .append(name)
                .append(" | ")
                .append(value.replace("|", "\\|"))
                .append(" |\n");
    }
}
