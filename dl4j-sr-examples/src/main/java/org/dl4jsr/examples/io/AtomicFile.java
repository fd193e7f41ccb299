package org.dl4jsr.examples.io;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Replaces a file as a whole: written to a temporary name beside it, synced, renamed, and the directory synced. After a
 * crash or on a full disk the old file is still there, whole.
 */
public final class AtomicFile {

    /** Ends temporary names; a file that has it is a leftover of a crash. */
    private static final String TEMPORARY = ".tmp";

    /** Writes the content of a file. */
    public interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    private AtomicFile() {}

    public static void write(Path target, String text) {
        write(target, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    public static void write(Path target, Content content) {
        Path temporary = target.resolveSibling(target.getFileName() + TEMPORARY);
        try (FileOutputStream file = new FileOutputStream(temporary.toFile())) {
            OutputStream out = new BufferedOutputStream(file, 1 << 16);
            content.writeTo(out);
            out.flush();
            file.getFD().sync();
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            syncDirectory(target.toAbsolutePath().getParent());
        } catch (IOException e) {
            BadInput failure = failure(target, e);
            temporary.toFile().delete();
            throw failure;
        }
    }

    /** Throws where {@code target}, the outcome of an earlier command, is there already. */
    public static void requireNew(Path target) {
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw new BadInput("Directory " + target.getParent() + " already holds " + target.getFileName()
                    + ": choose another --out");
        }
    }

    /** What is said where {@code target} cannot be written: nothing is lost that was there before. */
    public static BadInput failure(Path target, IOException e) {
        Path directory = target.toAbsolutePath().getParent();
        if (!Files.isDirectory(directory)) {
            return new BadInput("Cannot write " + target + ": directory " + directory + " is gone", e);
        }
        // while the temporary file still has its part of the disk
        long free = directory.toFile().getUsableSpace();
        return new BadInput(
                "Cannot write " + target + ": " + BadInput.reason(e) + " (" + Bytes.format(free)
                        + " free there); what was written before is kept",
                e);
    }

    /** Makes the rename itself last; systems that cannot open a directory do so by themselves. */
    private static void syncDirectory(Path directory) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(directory, StandardOpenOption.READ);
        } catch (IOException e) {
            // Windows: a directory cannot be opened
            return;
        }
        try (channel) {
            channel.force(true);
        }
    }
}
