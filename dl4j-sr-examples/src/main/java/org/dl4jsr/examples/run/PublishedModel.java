package org.dl4jsr.examples.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.dl4jsr.examples.data.Tokenizer;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.weights.BytePairVocabulary;
import org.dl4jsr.weights.Gpt2Weights;

/** A GPT-2 in a folder of Hugging Face's layout, as the beginning of a run. */
public final class PublishedModel {

    /** What suits fine-tuning: a learning rate far below that of pretraining, and little text. */
    private static final double LEARNING_RATE = 5e-5;

    private static final TrainingBudget BUDGET = new TrainingBudget(1_000_000, 4, 1);

    private PublishedModel() {}

    /**
     * A run that goes on with the model in {@code folder}: its shape, its tokenizer, its weights, which are not read yet.
     *
     * @param tokenizer a name, or null for the one whose files are in {@code folder}
     */
    public static RunConfig config(Path folder, String tokenizer) {
        try (Gpt2Weights weights = Gpt2Weights.open(folder)) {
            GptConfiguration gpt = weights.configuration().build();
            Tokenizer tokens = tokenizer(folder, tokenizer);
            if (tokens.vocabulary() > gpt.vocabulary()) {
                throw new BadInput("The model in " + folder + " has " + gpt.vocabulary() + " tokens, and the tokenizer "
                        + tokens.name() + " " + tokens.vocabulary() + ": it was trained with another one");
            }
            return new RunConfig(
                    shape(gpt, folder),
                    TrainingText.unread(List.of(), "text", tokens.name()),
                    BUDGET,
                    Bf16Policy.SR.toString(),
                    LEARNING_RATE,
                    RunConfig.BETA2,
                    1,
                    StartingWeights.of(folder));
        } catch (IOException e) {
            throw new BadInput(BadInput.reason(e), e);
        }
    }

    /** Called as the preset of its size is, or else as its folder. */
    private static ModelShape shape(GptConfiguration gpt, Path folder) {
        String name = Arrays.stream(Preset.values())
                .map(preset -> preset.config().model())
                .filter(preset -> preset.layers() == gpt.layers()
                        && preset.width() == gpt.width()
                        && preset.heads() == gpt.heads())
                .map(ModelShape::preset)
                .findFirst()
                .orElse(folder.toAbsolutePath().normalize().getFileName().toString());
        return new ModelShape(
                name, gpt.layers(), gpt.heads(), gpt.width(), gpt.context(), gpt.vocabulary(), gpt.tiedHead());
    }

    private static Tokenizer tokenizer(Path folder, String given) throws IOException {
        if (!BytePairVocabulary.isIn(folder)) {
            if (given == null) {
                throw new BadInput(folder + " has no tokenizer files (vocab.json or tokenizer.json): say by --tokenizer"
                        + " which the model was trained with, " + String.join(" or ", Tokenizer.NAMES));
            }
            return Tokenizer.named(given);
        }
        for (String name : Tokenizer.NAMES) {
            Tokenizer tokenizer = Tokenizer.named(name);
            if (tokenizer.pairs().isTokenizerOf(folder)) {
                if (given != null && !given.equals(name)) {
                    throw new BadInput("--tokenizer " + given + " does not fit the model in " + folder + ", whose"
                            + " tokenizer is " + name + ": leave the option out");
                }
                return tokenizer;
            }
        }
        throw new BadInput("The tokenizer in " + folder + " is none of " + String.join(", ", Tokenizer.NAMES)
                + ": text would become other tokens than the model knows");
    }
}
