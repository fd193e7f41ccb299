package org.dl4jsr.examples.data;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Bytes;
import org.dl4jsr.examples.io.Sha256;

/**
 * Text as token ids, split into training and validation. From ten documents up the split is by document: one in ten,
 * chosen by the CRC-32 of its path, is for validation. With fewer, the last tenth of each document is. An end-of-text
 * token follows each piece.
 *
 * @param source what was read, for tables
 * @param documents number of documents
 * @param bytes size of the text in UTF-8
 * @param sha256 of all paths and texts: tells whether a resumed run sees the same text
 * @param train token ids
 * @param validation token ids
 * @param validationBytesPerToken turns a loss a token into bits a byte
 */
public record Corpus(
        String source,
        int documents,
        long bytes,
        String sha256,
        TokenBuffer train,
        TokenBuffer validation,
        double validationBytesPerToken) {

    private static final int FEWEST_TO_SPLIT_BY_DOCUMENT = 10;
    private static final int ONE_DOCUMENT_IN = 10;
    private static final double TRAINING_SHARE_OF_A_DOCUMENT = 0.9;

    /** Reads and tokenizes {@code paths}, or the default corpus where there are none. */
    public static Corpus load(List<Path> paths, Tokenizer tokenizer) {
        try {
            return paths.isEmpty()
                    ? of(JavaSources.NAME, JavaSources.documents(), tokenizer)
                    : of(
                            paths.stream().map(Path::toString).collect(Collectors.joining(", ")),
                            TextFiles.documents(paths),
                            tokenizer);
        } catch (OutOfMemoryError e) {
            throw new BadInput(
                    "The text does not fit into Java's heap of "
                            + Bytes.format(Runtime.getRuntime().maxMemory())
                            + ": give less text, or more heap (java -Xmx)",
                    e);
        }
    }

    public static Corpus of(String source, List<Document> documents, Tokenizer tokenizer) {
        boolean byDocument = documents.size() >= FEWEST_TO_SPLIT_BY_DOCUMENT;
        Set<Document> chosen = byDocument ? chosenForValidation(documents) : Set.of();
        Sha256 sha256 = new Sha256();
        TokenBuffer train = new TokenBuffer();
        TokenBuffer validation = new TokenBuffer();
        long trainBytes = 0;
        long validationBytes = 0;
        for (Document document : documents) {
            String text = document.text().get();
            sha256.update(document.path());
            sha256.update(text);
            int cut;
            if (byDocument) {
                cut = chosen.contains(document) ? 0 : text.length();
            } else {
                cut = text.offsetByCodePoints(
                        0, (int) (TRAINING_SHARE_OF_A_DOCUMENT * text.codePointCount(0, text.length())));
            }
            trainBytes += append(text.substring(0, cut), tokenizer, train);
            validationBytes += append(text.substring(cut), tokenizer, validation);
        }
        return new Corpus(
                source,
                documents.size(),
                trainBytes + validationBytes,
                sha256.hex(),
                train,
                validation,
                (double) validationBytes / Math.max(1, validation.length()));
    }

    /** Throws where training or validation has not one window of {@code context} tokens. */
    public void requireWindows(int context) {
        if (Math.min(train.length(), validation.length()) > context) {
            return;
        }
        boolean files = train.length() > context && documents >= FEWEST_TO_SPLIT_BY_DOCUMENT;
        throw new BadInput("The text is too short: it gives " + train.length() + " tokens for training and "
                + validation.length() + " for validation, and a context of " + context + " needs more than "
                + context + " in each; give more text or a smaller --context"
                + (files ? " (one file in ten is for validation, and those are short: join small files)" : ""));
    }

    private static Set<Document> chosenForValidation(List<Document> documents) {
        return documents.stream()
                .sorted(Comparator.comparingLong(Corpus::hash).thenComparing(Document::path))
                .limit((documents.size() + ONE_DOCUMENT_IN - 1) / ONE_DOCUMENT_IN)
                .collect(Collectors.toSet());
    }

    private static long hash(Document document) {
        CRC32 crc = new CRC32();
        crc.update(document.path().getBytes(StandardCharsets.UTF_8));
        return crc.getValue();
    }

    /** Returns the size of {@code text} in bytes. */
    private static long append(String text, Tokenizer tokenizer, TokenBuffer tokens) {
        if (text.isEmpty()) {
            return 0;
        }
        for (int token : tokenizer.encode(text)) {
            tokens.add(token);
        }
        tokens.add(tokenizer.endOfText());
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
