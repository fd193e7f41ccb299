package org.dl4jsr.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.weights.BytePairVocabulary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenCacheTest {

    private static final int[] TRAIN = {1, 2, 65535};
    private static final int[] VALIDATION = {7};

    private final Tokenizer bytes = Tokenizer.named("bytes");
    private int made;

    @TempDir
    private Path directory;

    @Test
    void aTextIsTokenizedOnce() throws IOException {
        assertTokens("a", bytes);
        assertTokens("a", bytes);
        assertEquals(1, made);
        assertTokens("b", bytes);
        assertTokens("a", Tokenizer.named("gpt2"));
        assertEquals(3, made);
        assertEquals(3, folders().size());
    }

    @Test
    void damageIsNoticedAndMended() throws IOException {
        assertTokens("a", bytes);
        Path folder = folders().get(0);
        for (String file : List.of("train.bin", "val.bin", "tokens.json")) {
            byte[] good = Files.readAllBytes(folder.resolve(file));
            byte[] changed = good.clone();
            changed[good.length / 2] ^= 1;
            for (byte[] bad : List.of(changed, new byte[0], "{}".getBytes(StandardCharsets.UTF_8))) {
                Files.write(folder.resolve(file), bad);
                made = 0;
                assertTokens("a", bytes);
                assertEquals(1, made, file);
                assertArrayEquals(good, Files.readAllBytes(folder.resolve(file)));
            }
            Files.delete(folder.resolve(file));
            assertTokens("a", bytes);
            assertArrayEquals(good, Files.readAllBytes(folder.resolve(file)));
        }
    }

    /** Tokens in the folder of another text, as by a copy. */
    @Test
    void tokensOfAnotherTextAreNotTaken() throws IOException {
        assertTokens("a", bytes);
        Path first = folders().get(0);
        assertTokens("b", bytes);
        Path second = folders().stream()
                .filter(folder -> !folder.equals(first))
                .findFirst()
                .orElseThrow();
        Files.writeString(second.resolve("tokens.json"), Files.readString(first.resolve("tokens.json")));
        made = 0;
        assertTokens("b", bytes);
        assertEquals(1, made);
    }

    @Test
    void whatFailsLeavesNothing() throws IOException {
        BadInput failure = new BadInput("unreadable");
        assertEquals(failure, assertThrows(BadInput.class, () -> new TokenCache(directory)
                .tokens("a", bytes, (train, validation) -> {
                    train.add(TRAIN);
                    throw failure;
                })));
        assertEquals(List.of(), folders());
        // and what a killed process left is removed
        assertTokens("a", bytes);
        Path leftover = Path.of(folders().get(0) + ".tmp");
        Files.createDirectory(leftover);
        Files.write(leftover.resolve("train.bin"), new byte[5]);
        assertTokens("b", bytes);
        assertFalse(Files.exists(leftover));
    }

    /** As a pipe would be, for whose other end a process would wait for good. */
    @Test
    void aLockThatIsNoFileIsNamed() throws IOException {
        Files.createDirectories(directory.resolve(".lock"));
        String message =
                assertThrows(BadInput.class, () -> assertTokens("a", bytes)).getMessage();
        assertTrue(message.contains(": .lock is no regular file ("), message);
    }

    @Test
    void largeVocabulariesTakeFourBytes() throws IOException {
        assertTokens("a", bytes);
        assertEquals(2 * TRAIN.length, Files.size(folders().get(0).resolve("train.bin")));
        int[] large = {70_000, 1 << 30, 0};
        Tokenizer wide = new WideTokenizer();
        for (int i = 0; i < 2; i++) {
            TokenizedText text = new TokenCache(directory.resolve("wide")).tokens("a", wide, (train, validation) -> {
                train.add(large);
                return new TextSize(3, 0);
            });
            assertArrayEquals(large, TestTokens.ids(text.train()));
            assertEquals(0, text.validation().length());
        }
    }

    private void assertTokens(String text, Tokenizer tokenizer) {
        TokenizedText tokens = new TokenCache(directory).tokens(text, tokenizer, (train, validation) -> {
            made++;
            train.add(TRAIN);
            validation.add(VALIDATION);
            return new TextSize(12, 3);
        });
        assertArrayEquals(TRAIN, TestTokens.ids(tokens.train()));
        assertArrayEquals(VALIDATION, TestTokens.ids(tokens.validation()));
        assertEquals(new TextSize(12, 3), tokens.size());
    }

    private List<Path> folders() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(Files::isDirectory).sorted().toList();
        }
    }

    /** Of a vocabulary that two bytes do not hold. */
    private static final class WideTokenizer implements Tokenizer {

        @Override
        public String name() {
            return "wide";
        }

        @Override
        public int vocabulary() {
            return Integer.MAX_VALUE;
        }

        @Override
        public int endOfText() {
            return 0;
        }

        @Override
        public int[] encode(String text) {
            return text.codePoints().toArray();
        }

        @Override
        public String decode(int[] tokens) {
            return new String(tokens, 0, tokens.length);
        }

        @Override
        public BytePairVocabulary pairs() {
            throw new UnsupportedOperationException();
        }

        @Override
        public byte[] bytes(int token) {
            return decode(new int[] {token}).getBytes(StandardCharsets.UTF_8);
        }
    }
}
