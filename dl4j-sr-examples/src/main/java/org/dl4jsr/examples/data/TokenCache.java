package org.dl4jsr.examples.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.ByteProgress;
import org.dl4jsr.examples.io.DirectoryLock;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.io.Sha256;
import org.dl4jsr.examples.io.Texts;

/**
 * A directory that keeps the tokens of texts, so that a text is tokenized once. Each text has a folder, named by the
 * SHA-256 of all that decides its tokens, which holds {@code train.bin} and {@code val.bin}, the bare tokens, and
 * {@code tokens.json} with their SHA-256. A folder is written under another name, synced and renamed.
 */
final class TokenCache {

    /** Of the tokens and their files: another one makes older tokens count as none. */
    private static final int VERSION = 1;

    private static final String TRAIN = "train.bin";
    private static final String VALIDATION = "val.bin";
    private static final String SEAL = "tokens.json";
    private static final String TEMPORARY = ".tmp";
    private static final int NAME_LENGTH = 32;
    /** What a process left that did not come to its end. */
    private static final Pattern LEFTOVER = Pattern.compile("[0-9a-f]{" + NAME_LENGTH + "}\\.tmp");

    /** What {@code tokens.json} says. */
    record Seal(
            int version,
            String text,
            String tokenizer,
            int bytesEach,
            long train,
            long validation,
            TextSize size,
            String trainSha256,
            String validationSha256) {}

    /** Makes the tokens. */
    interface Maker {
        TextSize into(TokenSink train, TokenSink validation);
    }

    private final Path directory;

    TokenCache(Path directory) {
        this.directory = directory;
    }

    /**
     * The tokens of a text: those that are kept, or those that {@code maker} makes.
     *
     * @param text the SHA-256 of the text and of what else decides its parts
     */
    TokenizedText tokens(String text, Tokenizer tokenizer, Maker maker) {
        Sha256 key = new Sha256();
        key.update(text);
        key.update(tokenizer.name());
        key.update("" + VERSION);
        Path folder = directory.resolve(key.hex().substring(0, NAME_LENGTH));
        Optional<TokenizedText> kept = open(folder, text, tokenizer);
        if (kept.isPresent()) {
            return kept.get();
        }
        try (DirectoryLock lock = DirectoryLock.waitFor(
                directory, "Another process is tokenizing into " + directory + ": waiting for it")) {
            if (lock.hasWaited()) {
                kept = open(folder, text, tokenizer);
            }
            if (kept.isEmpty()) {
                make(folder, text, tokenizer, maker);
            }
        } catch (IOException e) {
            throw AtomicFile.failure(folder, e);
        }
        return kept.or(() -> open(folder, text, tokenizer))
                .orElseThrow(() -> new BadInput("The tokens in " + folder + " cannot be read back: is the disk good?"));
    }

    /** The tokens in {@code folder}; empty where there are none, or bad ones, which is said. */
    private Optional<TokenizedText> open(Path folder, String text, Tokenizer tokenizer) {
        if (!Files.exists(folder)) {
            return Optional.empty();
        }
        try {
            Seal seal = Json.read(Texts.read(folder.resolve(SEAL)), Seal.class);
            if (seal.version != VERSION
                    || !seal.text.equals(text)
                    || !seal.tokenizer.equals(tokenizer.name())
                    || seal.bytesEach != MappedTokens.bytesEach(tokenizer.vocabulary())) {
                throw new IOException(SEAL + " is of another text, tokenizer or version");
            }
            try (ByteProgress progress =
                    new ByteProgress("Checking tokens", seal.bytesEach * (seal.train + seal.validation))) {
                return Optional.of(new TokenizedText(
                        verified(folder.resolve(TRAIN), seal.train, seal.bytesEach, seal.trainSha256, progress),
                        verified(
                                folder.resolve(VALIDATION),
                                seal.validation,
                                seal.bytesEach,
                                seal.validationSha256,
                                progress),
                        seal.size));
            }
        } catch (IOException e) {
            System.err.println("Tokens in " + folder + " are damaged (" + BadInput.reason(e) + "): making them anew");
            return Optional.empty();
        }
    }

    private static Tokens verified(Path file, long length, int bytesEach, String sha256, ByteProgress progress)
            throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) != length * bytesEach) {
            throw new IOException(file.getFileName() + " does not have its size");
        }
        Sha256 found = new Sha256();
        try (InputStream in = progress.counting(Files.newInputStream(file));
                OutputStream out = found.over(OutputStream.nullOutputStream())) {
            in.transferTo(out);
        }
        if (!found.hex().equals(sha256)) {
            throw new IOException("the SHA-256 of " + file.getFileName() + " does not match");
        }
        return MappedTokens.of(file, 0, length, bytesEach);
    }

    private void make(Path folder, String text, Tokenizer tokenizer, Maker maker) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                if (LEFTOVER.matcher(file.getFileName().toString()).matches()) {
                    remove(file);
                }
            }
        }
        Path temporary = Files.createDirectory(directory.resolve(folder.getFileName() + TEMPORARY));
        int bytesEach = MappedTokens.bytesEach(tokenizer.vocabulary());
        try (TokenWriter train = new TokenWriter(temporary.resolve(TRAIN), bytesEach);
                TokenWriter validation = new TokenWriter(temporary.resolve(VALIDATION), bytesEach)) {
            TextSize size = maker.into(train, validation);
            AtomicFile.write(
                    temporary.resolve(SEAL),
                    Json.indented(new Seal(
                            VERSION,
                            text,
                            tokenizer.name(),
                            bytesEach,
                            train.length(),
                            validation.length(),
                            size,
                            train.finish(),
                            validation.finish())));
        } catch (IOException | RuntimeException e) {
            remove(temporary);
            throw e;
        }
        remove(folder);
        Files.move(temporary, folder, StandardCopyOption.ATOMIC_MOVE);
        System.err.println("Tokens are kept in " + folder);
    }

    /** Removes what this class has written, and nothing else. */
    private static void remove(Path folder) throws IOException {
        for (String name : List.of(TRAIN, VALIDATION, SEAL)) {
            Files.deleteIfExists(folder.resolve(name));
        }
        Files.deleteIfExists(folder);
    }
}
