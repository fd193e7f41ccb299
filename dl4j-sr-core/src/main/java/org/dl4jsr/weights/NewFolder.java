package org.dl4jsr.weights;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder that is there as a whole or not at all: its files are written and synced under a temporary name beside it,
 * which is then renamed. What a crash leaves of the temporary folder is removed by the next one.
 */
final class NewFolder {

    /** Writes a file. */
    interface FileContent {
        void writeTo(OutputStream out) throws IOException;
    }

    /** Writes all files. */
    interface Content {
        void writeTo(NewFolder folder) throws IOException;
    }

    private final Path temporary;

    private NewFolder(Path temporary) {
        this.temporary = temporary;
    }

    /** Throws an IOException where {@code target} is there and not an empty folder, or cannot be written. */
    static void write(Path target, Content content) throws IOException {
        requireFree(target);
        Path whole = target.toAbsolutePath().normalize();
        Path parent = whole.getParent();
        if (parent == null) {
            throw new IOException(target + " is no name for a folder");
        }
        try {
            Files.createDirectories(parent);
            writeBeside(parent.resolve(whole.getFileName() + ".tmp"), whole, content);
        } catch (IOException e) {
            String kind = e.getClass() == IOException.class ? "" : e.getClass().getSimpleName() + " ";
            throw new IOException("Cannot write " + target + ": " + kind + e.getMessage(), e);
        }
    }

    private static void writeBeside(Path temporary, Path whole, Content content) throws IOException {
        remove(temporary);
        Files.createDirectory(temporary);
        try {
            content.writeTo(new NewFolder(temporary));
            sync(temporary);
            Files.move(temporary, whole, StandardCopyOption.ATOMIC_MOVE);
            sync(whole.getParent());
        } finally {
            remove(temporary);
        }
    }

    private static void requireFree(Path target) throws IOException {
        if (!Files.isDirectory(target)) {
            if (Files.exists(target)) {
                throw new IOException(target + " is there already and is no folder: choose another name");
            }
            return;
        }
        try (Stream<Path> entries = Files.list(target)) {
            if (entries.findAny().isPresent()) {
                throw new IOException(target + " is there already and not empty: choose another name");
            }
        }
    }

    void write(String name, String text) throws IOException {
        write(name, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    void write(String name, FileContent content) throws IOException {
        try (var file = new FileOutputStream(temporary.resolve(name).toFile())) {
            OutputStream out = new BufferedOutputStream(file, 1 << 16);
            content.writeTo(out);
            out.flush();
            file.getFD().sync();
        }
    }

    private static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> walk = Files.walk(folder)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.delete(path);
        }
    }

    /** Systems that cannot open a folder sync it by themselves. */
    private static void sync(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Windows
        }
    }
}
