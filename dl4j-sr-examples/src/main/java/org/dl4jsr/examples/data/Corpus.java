package org.dl4jsr.examples.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Bytes;
import org.dl4jsr.examples.io.Sha256;

/**
 * Text as token ids, split into training and validation ({@link Split}). An end-of-text token follows each text and each
 * part of a divided one.
 *
 * @param source what was read, for tables
 * @param documents number of files
 * @param bytes size of the text in UTF-8; of files of tokens, their own
 * @param sha256 of all paths and contents: tells whether a resumed run sees the same text
 * @param train token ids
 * @param validation token ids
 * @param validationBytesPerToken turns a loss a token into bits a byte
 */
public record Corpus(
        String source,
        int documents,
        long bytes,
        String sha256,
        Tokens train,
        Tokens validation,
        double validationBytesPerToken) {

    /** Text up to this size is tokenized anew for each run, in memory. */
    private static final long LITTLE_TEXT = 8L << 20;

    private static final int BLOCK = 1 << 16;

    /**
     * Reads and tokenizes {@code paths}, or the default corpus where there are none.
     *
     * @param jsonField the field of JSON lines that is the text
     * @param cache directory that keeps the tokens of more than a little text; null to have all of them in memory
     */
    public static Corpus load(List<Path> paths, String jsonField, Tokenizer tokenizer, Path cache) {
        return load(paths, jsonField, tokenizer, cache, LITTLE_TEXT);
    }

    static Corpus load(List<Path> paths, String jsonField, Tokenizer tokenizer, Path cache, long littleText) {
        try {
            return paths.isEmpty()
                    ? of(JavaSources.NAME, TextFiles.scan(JavaSources.documents()), tokenizer, cache, littleText)
                    : of(
                            paths.stream().map(Path::toString).collect(Collectors.joining(", ")),
                            TextFiles.scan(paths, jsonField, tokenizer),
                            tokenizer,
                            cache,
                            littleText);
        } catch (OutOfMemoryError e) {
            throw new BadInput(
                    "The text does not fit into Java's heap of "
                            + Bytes.format(Runtime.getRuntime().maxMemory())
                            + ": give less text, or more heap (java -Xmx)",
                    e);
        }
    }

    /** Of texts in memory. */
    public static Corpus of(String source, List<Document> documents, Tokenizer tokenizer) {
        return of(source, TextFiles.scan(documents), tokenizer, null, LITTLE_TEXT);
    }

    private static Corpus of(String source, List<ScannedFile> files, Tokenizer tokenizer, Path cache, long littleText) {
        Split split = Split.of(files.stream().map(ScannedFile::file).toList());
        String sha256 = sha256(files);
        TokenizedText text = tokens(files, split, sha256, tokenizer, cache, littleText);
        List<Tokens> train = new ArrayList<>(List.of(text.train()));
        List<Tokens> validation = new ArrayList<>(List.of(text.validation()));
        long tokenFileBytes = 0;
        long validationBytes = text.size().validationBytes();
        for (ScannedFile scanned : files) {
            if (scanned.file() instanceof TokenFile tokenFile) {
                long cut = split.trainingUnits(scanned);
                try {
                    train.add(tokenFile.tokens(0, cut));
                    validation.add(tokenFile.tokens(cut, scanned.units()));
                } catch (IOException e) {
                    throw new BadInput(
                            "Text " + scanned.file().path() + " cannot be read any more: " + BadInput.reason(e), e);
                }
                tokenFileBytes += scanned.bytes();
                validationBytes += bytes(validation.get(validation.size() - 1), tokenizer);
            }
        }
        Tokens allValidation = new JoinedTokens(validation);
        return new Corpus(
                source,
                files.size(),
                text.size().bytes() + tokenFileBytes,
                sha256,
                new JoinedTokens(train),
                allValidation,
                (double) validationBytes / Math.max(1, allValidation.length()));
    }

    private static TokenizedText tokens(
            List<ScannedFile> files, Split split, String sha256, Tokenizer tokenizer, Path cache, long littleText) {
        long bytes = files.stream()
                .filter(scanned -> scanned.file() instanceof Document)
                .mapToLong(ScannedFile::bytes)
                .sum();
        if (cache != null && bytes > littleText) {
            return new TokenCache(cache)
                    .tokens(
                            sha256,
                            tokenizer,
                            (train, validation) -> Tokenization.run(files, split, tokenizer, train, validation));
        }
        TokenBuffer train = new TokenBuffer();
        TokenBuffer validation = new TokenBuffer();
        return new TokenizedText(train, validation, Tokenization.run(files, split, tokenizer, train, validation));
    }

    /** Of what decides the tokens and their split. */
    private static String sha256(List<ScannedFile> files) {
        Sha256 sha256 = new Sha256();
        for (ScannedFile scanned : files) {
            sha256.update(scanned.file().path());
            sha256.update(scanned.file().kind());
            sha256.update(scanned.sha256());
        }
        return sha256.hex();
    }

    /** How many bytes of text {@code tokens} stand for. */
    private static long bytes(Tokens tokens, Tokenizer tokenizer) {
        int[] bytesOf = new int[tokenizer.vocabulary()];
        for (int token = 0; token < bytesOf.length && tokens.length() > 0; token++) {
            bytesOf[token] = token == tokenizer.endOfText() ? 0 : tokenizer.bytes(token).length;
        }
        long bytes = 0;
        for (long start = 0; start < tokens.length(); start += BLOCK) {
            int[] ids = new int[(int) Math.min(BLOCK, tokens.length() - start)];
            tokens.read(start, ids);
            for (int id : ids) {
                bytes += bytesOf[id];
            }
        }
        return bytes;
    }

    /** Throws where training or validation has not one window of {@code context} tokens. */
    public void requireWindows(int context) {
        if (Math.min(train.length(), validation.length()) > context) {
            return;
        }
        boolean files = train.length() > context && documents >= Split.FEWEST_TO_SPLIT_BY_FILE;
        throw new BadInput("The text is too short: it gives " + train.length() + " tokens for training and "
                + validation.length() + " for validation, and a context of " + context + " needs more than "
                + context + " in each; give more text or a smaller --context"
                + (files ? " (one file in ten is for validation, and those are short: join small files)" : ""));
    }
}
