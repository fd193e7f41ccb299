package org.dl4jsr.examples.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * The folder that Spark's processes of this machine work in. A lock tells whether who has made it is still there: those
 * that a killed process has left are deleted when the next one is made.
 */
final class SparkHome implements AutoCloseable {

    private static final String PREFIX = "dl4j-sr-spark";
    private static final String LOCK = "in-use";

    private final Path path;
    private final FileChannel lock;
    private boolean kept;

    private SparkHome(Path path, FileChannel lock) {
        this.path = path;
        this.lock = lock;
    }

    /** A new one, in {@code parent}. */
    static SparkHome in(Path parent) throws IOException {
        deleteLeft(parent);
        Path path = Files.createTempDirectory(parent, PREFIX);
        Files.createDirectory(path.resolve("jars"));
        FileChannel lock =
                FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        lock.lock();
        return new SparkHome(path, lock);
    }

    Path path() {
        return path;
    }

    /** Leaves it there, for who wants to read what the workers have said. */
    void keep() {
        kept = true;
    }

    @Override
    public void close() {
        try {
            lock.close();
            if (kept) {
                Files.delete(path.resolve(LOCK));
            } else {
                delete(path);
            }
        } catch (IOException | UncheckedIOException e) {
            System.err.println("Cannot delete " + path + ": " + e.getMessage());
        }
    }

    private static void deleteLeft(Path parent) throws IOException {
        try (DirectoryStream<Path> homes = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path home : homes) {
                if (Files.exists(home.resolve(LOCK)) && isLeft(home)) {
                    delete(home);
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static boolean isLeft(Path home) {
        try (FileChannel file = FileChannel.open(home.resolve(LOCK), StandardOpenOption.WRITE);
                FileLock free = file.tryLock()) {
            return free != null;
        } catch (IOException | OverlappingFileLockException e) {
            return false; // another user's, or this process's
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
