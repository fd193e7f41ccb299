package org.dl4jsr.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.dl4jsr.examples.data.TextFormat.Piece;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextFormatTest {

    private static final List<String> WORDS =
            List.of("foo", "größer", "日本語", "12", "'s", "--", "{}", "𝄞𝄞", "e\u0301", "don't", ".");
    private static final List<String> SPACES =
            List.of(" ", "  ", "\n", "\n\n", " \n", "\t", "\u00A0", "\r\n", "   ", "\u3000", "\u0085", "");

    private final Tokenizer gpt2 = Tokenizer.named("gpt2");

    /** What of a text comes at once must not show in its tokens, nor where the text is divided. */
    @ParameterizedTest
    @ValueSource(ints = {100, 1000})
    void piecesHaveTheTokensOfTheWhole(int pieceLength) throws IOException {
        Random random = new Random(pieceLength);
        String text = IntStream.range(0, 3000)
                .mapToObj(i -> WORDS.get(random.nextInt(WORDS.size())) + SPACES.get(random.nextInt(SPACES.size())))
                .collect(Collectors.joining());
        long codePoints = text.codePointCount(0, text.length());
        TextFormat format = new PlainText(pieceLength);
        assertEquals(codePoints, format.scan(stream(text)));
        for (long training : List.of(0L, 1L, codePoints / 2, codePoints - 1, codePoints)) {
            List<Piece> pieces = pieces(format, text, training);
            int cut = text.offsetByCodePoints(0, (int) training);
            for (boolean validation : List.of(false, true)) {
                String part = validation ? text.substring(cut) : text.substring(0, cut);
                List<Piece> ofPart = pieces.stream()
                        .filter(p -> p.validation() == validation)
                        .toList();
                assertEquals(part, ofPart.stream().map(p -> p.texts().get(0)).collect(Collectors.joining()));
                assertArrayEquals(
                        gpt2.encode(part),
                        ofPart.stream()
                                .flatMapToInt(
                                        p -> Arrays.stream(gpt2.encode(p.texts().get(0))))
                                .toArray());
                assertTrue(IntStream.range(0, ofPart.size())
                        .allMatch(i -> ofPart.get(i).ends() == (i == ofPart.size() - 1)));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"aaaaaaaaaaaaaaaaaaaaaaaa", "𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞", "a𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞", "       ", "ab c", "abc"})
    void textWithoutABorderIsAllThere(String text) throws IOException {
        for (int pieceLength = 3; pieceLength < 8; pieceLength++) {
            List<Piece> pieces = pieces(new PlainText(pieceLength), text, Long.MAX_VALUE);
            assertEquals(text, pieces.stream().map(p -> p.texts().get(0)).collect(Collectors.joining()));
            assertTrue(pieces.get(pieces.size() - 1).ends());
            assertEquals(1, pieces.stream().filter(Piece::ends).count());
        }
    }

    @Test
    void jsonLinesHaveATextEach() throws IOException {
        String lines =
                """
                {"id": 1, "text": "ein \\u00df\\u0000", "meta": {"text": "not this"}}
                {"text": ""}
                {"more": [1, {"text": 2}], "text": "zwei"}
                {"text": "drei"}
                """;
        TextFormat format = new JsonLines("text");
        assertEquals(4, format.scan(stream(lines)));
        assertEquals(
                List.of(new Piece(false, List.of("ein ß", "zwei"), true), new Piece(true, List.of("drei"), true)),
                pieces(format, lines, 3));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"text\": \"a\"}\n{\"text\": 1} | no JSON lines: line 2 is no object with a text in its field \"text\"",
                "{\"text\": \"a\"}\n[\"text\"]    | no JSON lines: line 2 is no object with a text in its field \"text\"",
                "{\"text\": \"a\"}\n{\"text\": \"a | no JSON lines: line 2: ",
                "{\"text\": \"a\"}\nplain words   | no JSON lines: line 2: ",
            })
    void whatIsNoJsonIsSaid(String example) {
        String[] parts = example.split(" *\\| ", -1);
        String message = assertThrows(UnfitFileException.class, () -> new JsonLines("text").scan(stream(parts[0])))
                .getMessage();
        assertTrue(message.startsWith(parts[1]) && message.lines().count() == 1, message);
    }

    private static List<Piece> pieces(TextFormat format, String text, long training) throws IOException {
        List<Piece> pieces = new ArrayList<>();
        format.read(stream(text), training, pieces::add);
        return pieces;
    }

    private static InputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }
}
