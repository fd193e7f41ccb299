package org.dl4jsr.examples.data;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.dl4jsr.examples.data.TextFormat.Piece;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.ByteProgress;

/**
 * Makes tokens of text: one thread reads, all processors make tokens of pieces, and the pieces' tokens are written in
 * the order of the text, so that what comes out does not depend on the number of threads. Few pieces are in memory at
 * once.
 */
final class Tokenization {

    private final Tokenizer tokenizer;
    private final TokenSink train;
    private final TokenSink validation;
    private final int most = 2 * Runtime.getRuntime().availableProcessors();
    private final ExecutorService workers =
            Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors(), task -> {
                Thread thread = new Thread(task, "tokenizer");
                thread.setDaemon(true);
                return thread;
            });
    private final Deque<Future<List<Encoded>>> pending = new ArrayDeque<>();
    /** Small pieces, which make one task together. */
    private final List<Piece> next = new ArrayList<>();

    private int charactersOfNext;

    private long bytes;
    private long validationBytes;

    /** The tokens of a piece, and its bytes in UTF-8. */
    private record Encoded(boolean validation, List<int[]> ids, long bytes) {}

    private Tokenization(Tokenizer tokenizer, TokenSink train, TokenSink validation) {
        this.tokenizer = tokenizer;
        this.train = train;
        this.validation = validation;
    }

    /**
     * Gives the tokens of the documents among {@code files} to the sinks; an end of text follows each text, and each
     * part of a divided one.
     */
    static TextSize run(
            List<ScannedFile> files, Split split, Tokenizer tokenizer, TokenSink train, TokenSink validation) {
        Tokenization tokenization = new Tokenization(tokenizer, train, validation);
        try {
            tokenization.run(files, split);
        } finally {
            tokenization.workers.shutdownNow();
        }
        return new TextSize(tokenization.bytes, tokenization.validationBytes);
    }

    private void run(List<ScannedFile> files, Split split) {
        long size = files.stream().mapToLong(file -> file.file().size()).sum();
        try (ByteProgress progress = new ByteProgress("Tokenizing", size)) {
            for (ScannedFile scanned : files) {
                if (scanned.file() instanceof Document document) {
                    document.read(split.trainingUnits(scanned), scanned.sha256(), progress, this::add);
                }
            }
        }
        submit();
        while (!pending.isEmpty()) {
            writeOldest();
        }
    }

    private void add(Piece piece) {
        next.add(piece);
        charactersOfNext += piece.texts().stream().mapToInt(String::length).sum();
        if (charactersOfNext >= TextFormat.PIECE) {
            submit();
        }
    }

    private void submit() {
        if (pending.size() == most) {
            writeOldest();
        }
        List<Piece> pieces = List.copyOf(next);
        pending.add(workers.submit(() -> pieces.stream().map(this::encoded).toList()));
        next.clear();
        charactersOfNext = 0;
    }

    private void writeOldest() {
        try {
            pending.remove().get().forEach(this::write);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BadInput("Interrupted while tokenizing", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw new IllegalStateException("Cannot tokenize", e.getCause());
        }
    }

    private void write(Encoded piece) {
        piece.ids.forEach((piece.validation ? validation : train)::add);
        bytes += piece.bytes;
        validationBytes += piece.validation ? piece.bytes : 0;
    }

    private Encoded encoded(Piece piece) {
        List<int[]> ids = new ArrayList<>();
        long size = 0;
        for (int i = 0; i < piece.texts().size(); i++) {
            String text = piece.texts().get(i);
            ids.add(tokenizer.encode(text));
            if (i < piece.texts().size() - 1 || piece.ends()) {
                ids.add(new int[] {tokenizer.endOfText()});
            }
            size += text.getBytes(StandardCharsets.UTF_8).length;
        }
        return new Encoded(piece.validation(), ids, size);
    }
}
