package org.dl4jsr.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.dl4jsr.examples.io.BadInput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens that other programs made, and tokens in files larger than Java's arrays. */
class TokenFileTest {

    private final Tokenizer gpt2 = Tokenizer.named("gpt2");

    @TempDir
    private Path directory;

    @Test
    void shardsTrainAsTheyAre() throws IOException {
        llmc("fineweb_train_000001.bin", 20240520, 1, 500, IntStream.range(0, 500));
        llmc("fineweb_train_000002.bin", 20240520, 1, 300, IntStream.range(500, 800));
        int[] hello = gpt2.encode("Hello größer world");
        llmc(
                "fineweb_val_000000.bin",
                20240520,
                1,
                hello.length + 1,
                IntStream.concat(IntStream.of(gpt2.endOfText()), Arrays.stream(hello)));
        Corpus corpus = load(directory);
        assertArrayEquals(IntStream.range(0, 800).toArray(), TestTokens.ids(corpus.train()));
        assertEquals("<|endoftext|>Hello größer world", TestTokens.text(corpus.validation(), gpt2));
        // the end of a text is no text
        assertEquals(20.0 / (hello.length + 1), corpus.validationBytesPerToken());
        int[] acrossFiles = new int[4];
        corpus.train().read(498, acrossFiles);
        assertArrayEquals(new int[] {498, 499, 500, 501}, acrossFiles);
    }

    @Test
    void aSingleFileGivesItsLastTenth() throws IOException {
        tokens("train.bin", 0, IntStream.range(0, 1000));
        Corpus corpus = load(directory.resolve("train.bin"));
        assertArrayEquals(IntStream.range(0, 900).toArray(), TestTokens.ids(corpus.train()));
        assertArrayEquals(IntStream.range(900, 1000).toArray(), TestTokens.ids(corpus.validation()));
    }

    @Test
    void tokensAndTextGoTogether() throws IOException {
        tokens("train.bin", 0, IntStream.range(0, 100));
        Files.writeString(directory.resolve("val.txt"), "Hello world");
        Files.writeString(directory.resolve("other.txt"), "Hello");
        Corpus corpus = load(directory);
        assertEquals("Hello world<|endoftext|>", TestTokens.text(corpus.validation(), gpt2));
        assertEquals(102, corpus.train().length());
    }

    @Test
    void badTokenFilesAreNamed() throws IOException {
        assertBad("no GPT-2 tokens: 60000 is not below 50257", tokens("a.bin", 0, IntStream.of(1, 60000)));
        assertBad("no GPT-2 tokens: its size is odd", Files.write(directory.resolve("b.bin"), new byte[2049]));
        assertBad(
                "no GPT-2 tokens: llm.c's header says version 1 and 4 tokens: expected version 1 and 3 tokens",
                llmc("c.bin", 20240520, 1, 4, IntStream.range(0, 3)));
        assertBad(
                "no GPT-2 tokens: llm.c's header says version 2 and 3 tokens",
                llmc("d.bin", 20240520, 2, 3, IntStream.range(0, 3)));
        assertBad(
                "no GPT-2 tokens: llm.c's magic number is 20240801",
                llmc("e.bin", 20240801, 7, 3, IntStream.range(0, 3)));
        Path good = tokens("good.bin", 0, IntStream.range(0, 100));
        String message = assertThrows(
                        BadInput.class, () -> Corpus.load(List.of(good), "text", Tokenizer.named("bytes"), null))
                .getMessage();
        assertEquals("Text file " + good + " is named like tokens of GPT-2, and the tokenizer is bytes", message);
        // beside good ones they do not matter
        assertEquals(
                100,
                load(directory).train().length() + load(directory).validation().length());
    }

    @Test
    void filesBeyondTwoGigabytesAreMapped() throws IOException {
        Path file = directory.resolve("large");
        long tokens = 3L << 29;
        try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
            large.setLength(2 * tokens + 6);
            for (long at : new long[] {1L << 30, 1L << 31, 2 * tokens + 4}) {
                large.seek(at);
                large.write(new byte[] {1, (byte) 0x80});
            }
        }
        Tokens mapped = MappedTokens.of(file, 6, tokens, 2);
        int[] ids = new int[3];
        mapped.read(tokens - 3, ids);
        assertArrayEquals(new int[] {0, 0, 0x8001}, ids);
        mapped.read((1L << 29) - 4, ids);
        assertArrayEquals(new int[] {0, 0x8001, 0}, ids);
        mapped.read((1L << 30) - 4, ids);
        assertArrayEquals(new int[] {0, 0x8001, 0}, ids);
        // across two mappings, and from the second one on
        mapped.read((1L << 29) - 3, ids);
        assertArrayEquals(new int[] {0x8001, 0, 0}, ids);
        assertThrows(IOException.class, () -> MappedTokens.of(file, 8, tokens, 2));
    }

    private Corpus load(Path path) {
        return Corpus.load(List.of(path), "text", gpt2, null);
    }

    private void assertBad(String message, Path file) {
        String found = assertThrows(BadInput.class, () -> load(file)).getMessage();
        assertTrue(found.startsWith("Text file " + file + " is " + message), found);
    }

    private Path llmc(String name, int magic, int version, int count, IntStream ids) throws IOException {
        Path file = tokens(name, 1024, ids);
        ByteBuffer header = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(magic).putInt(version).putInt(count);
        return Files.write(file, header.array());
    }

    private Path tokens(String name, int offset, IntStream ids) throws IOException {
        int[] all = ids.toArray();
        ByteBuffer bytes = ByteBuffer.allocate(offset + 2 * all.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(offset);
        for (int id : all) {
            bytes.putShort((short) id);
        }
        return Files.write(directory.resolve(name), bytes.array());
    }
}
