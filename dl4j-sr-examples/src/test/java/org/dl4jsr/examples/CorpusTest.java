package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorpusTest {

    private final Tokenizer bytes = Tokenizer.named("bytes");

    @TempDir
    private Path directory;

    @Test
    void theDefaultCorpusIsJavaWithoutLicences() {
        Corpus corpus = Corpus.load(List.of(), bytes);
        assertEquals(1777, corpus.documents());
        assertTrue(corpus.bytes() > 19_000_000);
        String train = text(corpus.train());
        assertTrue(train.contains("public class Nd4j") || text(corpus.validation()).contains("public class Nd4j"));
        assertFalse(train.contains("SPDX-License-Identifier"));
        double share = (double) corpus.validation().length() / (corpus.train().length() + corpus.validation().length());
        assertTrue(share > 0.02 && share < 0.1, "validation share " + share);
    }

    @Test
    void manyDocumentsAreSplitByDocument() {
        List<Document> documents = IntStream.range(0, 40)
                .mapToObj(i -> new Document("d" + i, () -> "[" + i + "]")).toList();
        Corpus corpus = Corpus.of("test", documents, bytes);
        String validation = text(corpus.validation());
        assertEquals(2, validation.chars().filter(c -> c == '[').count());
        for (int i = 0; i < 40; i++) {
            String document = "[" + i + "]\0";
            assertNotEquals(validation.contains(document), text(corpus.train()).contains(document), document);
        }
        assertEquals(corpus.sha256(), Corpus.of("test", documents, bytes).sha256());
        assertNotEquals(corpus.sha256(), Corpus.of("test", documents.subList(0, 39), bytes).sha256());
    }

    @Test
    void aFewDocumentsGiveTheirLastTenth() {
        Corpus corpus = Corpus.of("test", List.of(new Document("a", () -> "0123456789".repeat(9) + "abcdefghi𝄞")), bytes);
        assertEquals("abcdefghi𝄞\0", text(corpus.validation()));
        assertEquals(13.0 / 14, corpus.validationBytesPerToken());
    }

    @Test
    void directoriesAreReadInOrderWithoutWhatIsNoText() throws IOException {
        Files.createDirectories(directory.resolve("b/.git"));
        Files.writeString(directory.resolve("b/z.txt"), "two");
        Files.writeString(directory.resolve("a.txt"), "one");
        Files.writeString(directory.resolve("b/.git/x"), "hidden");
        Files.writeString(directory.resolve("empty"), "");
        Files.write(directory.resolve("picture"), new byte[] {1, 0, 2});
        List<Document> documents = TextFiles.documents(List.of(directory));
        assertEquals(List.of("a.txt", "b/z.txt"), documents.stream().map(Document::path).toList());
        assertEquals(List.of("one", "two"), documents.stream().map(d -> d.text().get()).toList());
    }

    @Test
    void badTextIsNamed() throws IOException {
        Path missing = directory.resolve("missing");
        assertEquals("Text " + missing + " does not exist", messageFor(missing));
        assertEquals("Text directory " + directory + " holds no text file (UTF-8, not empty, not hidden)",
                messageFor(directory));
        Path empty = Files.createFile(directory.resolve("empty"));
        assertEquals("Text file " + empty + " is empty", messageFor(empty));
        Path binary = Files.write(directory.resolve("binary"), new byte[] {65, 0, 66});
        assertEquals("Text file " + binary + " is not UTF-8 text: a NUL byte at offset 1", messageFor(binary));
        Path latin = Files.write(directory.resolve("latin"), "größer".getBytes(StandardCharsets.ISO_8859_1));
        assertEquals("Text file " + latin + " is not UTF-8 text: byte 0xF6 at offset 2 (convert it, for example with"
                + " iconv)", messageFor(latin));
        Path loop = directory.resolve("loop");
        Files.createSymbolicLink(loop, loop);
        assertTrue(messageFor(loop).startsWith("Text " + loop + " cannot be read: "), messageFor(loop));
    }

    @Test
    void licencesAreStripped() {
        assertEquals("package a;\n", JavaSources.withoutLicence("/*\n * Licence\n */\n\npackage a;\n"));
        assertEquals("package a; /* b */", JavaSources.withoutLicence("package a; /* b */"));
        assertEquals("/* open", JavaSources.withoutLicence("/* open"));
    }

    private String messageFor(Path path) {
        return assertThrows(BadInput.class, () -> Corpus.load(List.of(path), bytes)).getMessage();
    }

    private String text(TokenBuffer tokens) {
        return bytes.decode(IntStream.range(0, tokens.length()).map(tokens::get).toArray());
    }
}
