package org.dl4jsr.examples.data;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.ByteProgress;
import org.dl4jsr.examples.io.HashedInput;

/**
 * A file of text.
 *
 * @param path where it is, relative to what the user named; '/' between folders
 * @param format how the text is in it
 * @param source its bytes
 */
public record Document(String path, TextFormat format, Source source) implements CorpusFile {

    /** Where the bytes come from. */
    interface Source {

        /** Bytes to read, packed as they are. */
        long size();

        /** The bytes, unpacked; {@code progress} hears of those that are read. */
        InputStream open(ByteProgress progress) throws IOException;
    }

    /** A text in memory. */
    public Document(String path, String text) {
        this(path, text.getBytes(StandardCharsets.UTF_8));
    }

    /** A text in memory, in UTF-8. */
    Document(String path, byte[] text) {
        this(path, new PlainText(), new InMemory(text));
    }

    private record InMemory(byte[] text) implements Source {

        @Override
        public long size() {
            return text.length;
        }

        @Override
        public InputStream open(ByteProgress progress) {
            return new ByteArrayInputStream(text);
        }
    }

    /** A file on the disk. */
    record OnDisk(Path file, boolean gzip) implements Source {

        @Override
        public long size() {
            return file.toFile().length();
        }

        @Override
        public InputStream open(ByteProgress progress) throws IOException {
            InputStream packed = progress.counting(Files.newInputStream(file));
            if (!gzip) {
                return packed;
            }
            try {
                return new GZIPInputStream(packed, 1 << 16);
            } catch (IOException e) {
                packed.close();
                throw e;
            }
        }
    }

    @Override
    public String kind() {
        return format.kind();
    }

    @Override
    public long size() {
        return source.size();
    }

    @Override
    public long mostForValidation() {
        return format.mostForValidation();
    }

    @Override
    public ScannedFile scan(ByteProgress progress) throws IOException {
        try (HashedInput in = new HashedInput(source.open(progress))) {
            long units = format.scan(in);
            return new ScannedFile(this, in.count(), units, in.sha256());
        }
    }

    /**
     * Gives the text to {@code sink}.
     *
     * @param trainingUnits how many of its units, the first ones, are for training
     * @param sha256 that it had when it was scanned
     */
    void read(long trainingUnits, String sha256, ByteProgress progress, TextFormat.PieceSink sink) {
        boolean same;
        try (HashedInput in = new HashedInput(source.open(progress))) {
            format.read(in, trainingUnits, sink);
            same = in.sha256().equals(sha256);
        } catch (IOException e) {
            throw new BadInput("Text " + path + " cannot be read any more: " + BadInput.reason(e), e);
        }
        if (!same) {
            throw new BadInput("Text " + path + " has changed while it was read: start again");
        }
    }
}
