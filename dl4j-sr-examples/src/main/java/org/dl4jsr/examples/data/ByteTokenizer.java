package org.dl4jsr.examples.data;

import java.nio.charset.StandardCharsets;
import org.dl4jsr.weights.BytePairVocabulary;

/** A token is a byte of UTF-8. Byte 0, which text does not hold, is the end of a text. */
final class ByteTokenizer implements Tokenizer {

    @Override
    public String name() {
        return "bytes";
    }

    @Override
    public int vocabulary() {
        return 256;
    }

    @Override
    public int endOfText() {
        return 0;
    }

    @Override
    public int[] encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] tokens = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            tokens[i] = bytes[i] & 0xFF;
        }
        return tokens;
    }

    @Override
    public String decode(int[] tokens) {
        byte[] bytes = new byte[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            bytes[i] = (byte) tokens[i];
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public BytePairVocabulary pairs() {
        return BytePairVocabulary.bytes(endOfText());
    }

    @Override
    public byte[] bytes(int token) {
        return new byte[] {(byte) token};
    }
}
