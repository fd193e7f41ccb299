package org.dl4jsr.examples.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dl4jsr.examples.io.ByteProgress;
import org.dl4jsr.examples.io.HashedInput;

/**
 * Tokens of GPT-2 in 16 bits each, little-endian, as other programs make them: nanoGPT's {@code train.bin}, or llm.c's
 * shards, which begin with 256 INT: a magic number, the version 1, and the number of tokens.
 *
 * @param path where it is, relative to what the user named
 * @param tokenizer the run's
 */
record TokenFile(String path, Path file, Tokenizer tokenizer) implements CorpusFile {

    private static final int LLMC_MAGIC = 20240520;
    private static final int LLMC_MAGIC_OF_32_BITS = 20240801;
    private static final int LLMC_HEADER = 256 * Integer.BYTES;
    private static final int PIECE = 1 << 16;
    private static final long MOST_FOR_VALIDATION = 10_000_000;

    @Override
    public String kind() {
        return "tokens";
    }

    @Override
    public long size() {
        return file.toFile().length();
    }

    @Override
    public long mostForValidation() {
        return MOST_FOR_VALIDATION;
    }

    @Override
    public ScannedFile scan(ByteProgress progress) throws IOException {
        if (!tokenizer.name().equals("gpt2")) {
            throw new UnfitFileException("named like tokens of GPT-2, and the tokenizer is " + tokenizer.name());
        }
        try (HashedInput in = new HashedInput(progress.counting(Files.newInputStream(file)))) {
            long header = header(in);
            long tokens = (size() - header) / Short.BYTES;
            requireTokens(in);
            if (in.count() != header + Short.BYTES * tokens) {
                throw new UnfitFileException("no GPT-2 tokens: its size is odd");
            }
            return new ScannedFile(this, in.count(), tokens, in.sha256());
        }
    }

    /** Tokens number {@code start} up to {@code end}. */
    Tokens tokens(long start, long end) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return MappedTokens.of(file, header(in) + Short.BYTES * start, end - start, Short.BYTES);
        }
    }

    /** Length of the header, in bytes. What is read of {@code in} besides it is whole tokens. */
    private long header(InputStream in) throws IOException {
        ByteBuffer start = ByteBuffer.wrap(in.readNBytes(LLMC_HEADER)).order(ByteOrder.LITTLE_ENDIAN);
        int magic = start.remaining() < LLMC_HEADER ? 0 : start.getInt(0);
        if (magic == LLMC_MAGIC_OF_32_BITS) {
            throw new UnfitFileException("no GPT-2 tokens: llm.c's magic number is " + magic);
        }
        if (magic != LLMC_MAGIC) {
            requireTokens(start);
            return 0;
        }
        int version = start.getInt(4);
        long tokens = start.getInt(8) & 0xFFFFFFFFL;
        long expected = LLMC_HEADER + Short.BYTES * tokens;
        if (version != 1 || expected != size()) {
            throw new UnfitFileException("no GPT-2 tokens: llm.c's header says version " + version + " and " + tokens
                    + " tokens: expected" + " version 1 and " + (size() - LLMC_HEADER) / Short.BYTES + " tokens");
        }
        return LLMC_HEADER;
    }

    private void requireTokens(InputStream in) throws IOException {
        for (byte[] piece = in.readNBytes(PIECE); piece.length > 0; piece = in.readNBytes(PIECE)) {
            requireTokens(ByteBuffer.wrap(piece).order(ByteOrder.LITTLE_ENDIAN));
        }
    }

    private void requireTokens(ByteBuffer tokens) throws IOException {
        while (tokens.remaining() >= Short.BYTES) {
            int token = tokens.getShort() & 0xFFFF;
            if (token >= tokenizer.vocabulary()) {
                throw new UnfitFileException("no GPT-2 tokens: " + token + " is not below " + tokenizer.vocabulary());
            }
        }
    }
}
