package org.dl4jsr.examples.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.UserPrincipal;
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
        Path path = Files.createTempDirectory(parent, PREFIX);
        Files.createDirectory(path.resolve("jars"));
        // has its name once it is locked: nobody finds it free before
        Path unlocked = path.resolve(LOCK + ".tmp");
        FileChannel lock = FileChannel.open(unlocked, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        lock.lock();
        Files.move(unlocked, path.resolve(LOCK), StandardCopyOption.ATOMIC_MOVE);
        deleteLeft(parent, path, Files.getOwner(path));
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
        try (lock) { // to the end, so that nobody else deletes it
            if (kept) {
                Files.delete(path.resolve(LOCK));
            } else {
                delete(path);
            }
        } catch (IOException | UncheckedIOException e) {
            sayNotDeleted(path, e);
        }
    }

    /**
     * Deletes those that processes which are gone have left.
     *
     * @param own is not looked at: to close its lock's file once would give up the lock
     * @param user whose they have to be: what others put there may change while it is deleted
     */
    static void deleteLeft(Path parent, Path own, UserPrincipal user) throws IOException {
        try (DirectoryStream<Path> homes = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path home : homes) {
                if (!home.equals(own) && Files.isDirectory(home, LinkOption.NOFOLLOW_LINKS)) {
                    deleteIfLeft(home, user);
                }
            }
        }
    }

    private static void deleteIfLeft(Path home, UserPrincipal user) {
        try {
            if (Files.getOwner(home, LinkOption.NOFOLLOW_LINKS).equals(user)) {
                deleteIfFree(home);
            }
        } catch (NoSuchFileException e) {
            // it has no lock, or another process has deleted it
        } catch (IOException | UncheckedIOException e) {
            sayNotDeleted(home, e);
        }
    }

    private static void deleteIfFree(Path home) throws IOException {
        try (FileChannel file = FileChannel.open(home.resolve(LOCK), StandardOpenOption.WRITE);
                FileLock free = file.tryLock()) {
            if (free != null && Files.exists(home.resolve(LOCK))) { // it may have been kept in between
                delete(home);
            }
        } catch (OverlappingFileLockException e) {
            // this process's
        }
    }

    private static void sayNotDeleted(Path home, Exception e) {
        System.err.println("Cannot delete " + home + ": " + e.getMessage());
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
