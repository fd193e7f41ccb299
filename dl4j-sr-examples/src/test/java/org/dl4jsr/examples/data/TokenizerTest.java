package org.dl4jsr.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.dl4jsr.examples.io.BadInput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {

    private static final String TEXT = "for (int i = 0; i < n; i++) { größer(\"𝄞\"); }\n\t";

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "gpt2"})
    void textSurvivesTheRoundTrip(String name) {
        Tokenizer tokenizer = Tokenizer.named(name);
        int[] tokens = tokenizer.encode(TEXT);
        assertEquals(TEXT, tokenizer.decode(tokens));
        assertTrue(Arrays.stream(tokens).allMatch(t -> t >= 0 && t < tokenizer.vocabulary()));
        assertTrue(Arrays.stream(tokens).noneMatch(t -> t == tokenizer.endOfText()));
    }

    @Test
    void gpt2HasItsPublishedIds() {
        assertArrayEquals(new int[] {15496, 995}, Tokenizer.named("gpt2").encode("Hello world"));
    }

    @Test
    void theEndOfTextInTheTextIsOrdinaryText() {
        Tokenizer gpt2 = Tokenizer.named("gpt2");
        assertTrue(Arrays.stream(gpt2.encode("a<|endoftext|>b")).noneMatch(t -> t == gpt2.endOfText()));
    }

    @Test
    void anUnknownNameIsBadInput() {
        BadInput e = assertThrows(BadInput.class, () -> Tokenizer.named("words"));
        assertEquals("Unknown tokenizer 'words': choose one of bytes, gpt2", e.getMessage());
    }
}
