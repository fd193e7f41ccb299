package org.dl4jsr.examples.data;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.IntArrayList;
import java.util.stream.IntStream;
import org.dl4jsr.weights.BytePairVocabulary;

/** GPT-2's byte pair encoding: 50,256 merges and bytes, and the end of a text. */
final class Gpt2Tokenizer implements Tokenizer {

    /** The merges, which take a while to read: they are read when the first text is encoded or decoded. */
    private static final class Merges {
        static final Encoding ENCODING = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
    }

    @Override
    public String name() {
        return "gpt2";
    }

    @Override
    public int vocabulary() {
        return 50_257;
    }

    @Override
    public int endOfText() {
        return 50_256;
    }

    @Override
    public int[] encode(String text) {
        return Merges.ENCODING.encodeOrdinary(text).toArray();
    }

    @Override
    public String decode(int[] tokens) {
        IntArrayList list = new IntArrayList(tokens.length);
        for (int token : tokens) {
            list.add(token);
        }
        return Merges.ENCODING.decode(list);
    }

    @Override
    public BytePairVocabulary pairs() {
        return BytePairVocabulary.of(
                IntStream.range(0, endOfText()).mapToObj(this::bytes).toList(), "<|endoftext|>");
    }

    @Override
    public byte[] bytes(int token) {
        IntArrayList list = new IntArrayList(1);
        list.add(token);
        return Merges.ENCODING.decodeBytes(list);
    }
}
