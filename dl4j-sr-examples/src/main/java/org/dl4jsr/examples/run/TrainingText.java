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
 * @param sha256 of the corpus; empty as long as it has not been read
 * @param tokenizer name of the tokenizer
 */
public record TrainingText(List<String> paths, String jsonField, String sha256, String tokenizer) {

    public TrainingText {
        paths = List.copyOf(paths);
        Tokenizer.named(tokenizer);
    }

    public TrainingText withPaths(List<String> newPaths) {
        return new TrainingText(newPaths, jsonField, sha256, tokenizer);
    }

    public TrainingText withJsonField(String newJsonField) {
        return new TrainingText(paths, newJsonField, sha256, tokenizer);
    }

    public TrainingText withSha256(String newSha256) {
        return new TrainingText(paths, jsonField, newSha256, tokenizer);
    }

    public TrainingText withTokenizer(String newTokenizer) {
        return new TrainingText(paths, jsonField, sha256, newTokenizer);
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
