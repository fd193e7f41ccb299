package org.dl4jsr.examples.data;

/** Tokens as tests look at them. */
final class TestTokens {

    private TestTokens() {}

    static int[] ids(Tokens tokens) {
        int[] ids = new int[(int) tokens.length()];
        tokens.read(0, ids);
        return ids;
    }

    static String text(Tokens tokens, Tokenizer tokenizer) {
        return tokenizer.decode(ids(tokens));
    }
}
