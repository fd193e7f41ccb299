package org.dl4jsr.examples.run;

import java.nio.file.Path;
import java.util.List;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.Tokenizer;

/**
 * What a run learns from.
 *
 * @param paths absolute paths of the user's text; empty for the default corpus
 * @param jsonField the field of JSON lines that is the text
 * @param tokenizer name of the tokenizer
 * @param sha256 of the corpus; empty as long as it has not been read
 * @param trainingTokens that it has, for training; 0 as long as it has not been read
 * @param validationTokens that it has, for validation
 */
public record TrainingText(
        List<String> paths,
        String jsonField,
        String tokenizer,
        String sha256,
        long trainingTokens,
        long validationTokens) {

    public TrainingText {
        paths = List.copyOf(paths);
        Tokenizer.named(tokenizer);
    }

    /** Text that has not been read. */
    static TrainingText unread(List<String> paths, String jsonField, String tokenizer) {
        return new TrainingText(paths, jsonField, tokenizer, "", 0, 0);
    }

    public TrainingText withPaths(List<String> newPaths) {
        return unread(newPaths, jsonField, tokenizer);
    }

    public TrainingText withJsonField(String newJsonField) {
        return unread(paths, newJsonField, tokenizer);
    }

    public TrainingText withTokenizer(String newTokenizer) {
        return unread(paths, jsonField, newTokenizer);
    }

    /** The same as it was read. */
    TrainingText asRead(Corpus corpus) {
        return new TrainingText(
                paths,
                jsonField,
                tokenizer,
                corpus.sha256(),
                corpus.train().length(),
                corpus.validation().length());
    }

    /**
     * Reads and tokenizes the text, which must have a window of {@code context} tokens for training and validation.
     *
     * @param cache directory that keeps the tokens of more than a little text; null to have all of them in memory
     */
    public Corpus load(int context, Path cache) {
        Corpus corpus =
                Corpus.load(paths.stream().map(Path::of).toList(), jsonField, Tokenizer.named(tokenizer), cache);
        corpus.requireWindows(context);
        return corpus;
    }

    /** The same with all tokens in memory. */
    public Corpus load(int context) {
        return load(context, null);
    }
}
