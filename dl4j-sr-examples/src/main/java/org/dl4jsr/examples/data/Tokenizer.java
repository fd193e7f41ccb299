package org.dl4jsr.examples.data;

import java.util.List;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.weights.BytePairVocabulary;

/** Text to token ids and back. */
public interface Tokenizer {

    /** The names on the command line. */
    List<String> NAMES = List.of("bytes", "gpt2");

    static Tokenizer named(String name) {
        return switch (name) {
            case "bytes" -> new ByteTokenizer();
            case "gpt2" -> new Gpt2Tokenizer();
            default -> throw new BadInput(
                    "Unknown tokenizer '" + name + "': choose one of " + String.join(", ", NAMES));
        };
    }

    /** What tells it from others: texts give the same tokens under the same name. */
    String name();

    /** Token ids are in [0, vocabulary). */
    int vocabulary();

    /** The id that stands between two texts; {@link #encode} never makes it. */
    int endOfText();

    int[] encode(String text);

    /** The text of {@code tokens}; where they are no whole UTF-8 characters, U+FFFD stands. */
    String decode(int[] tokens);

    /** The tokens as other programs know them. */
    BytePairVocabulary pairs();

    /** What {@code token} stands for: some bytes of UTF-8, not always whole characters. */
    byte[] bytes(int token);
}
