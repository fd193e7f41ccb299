package org.dl4jsr.examples.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * One process at a time writes to a directory. The lock is on a file of its own, {@code .lock}, which is never renamed,
 * replaced or removed, and it ends with the process.
 */
public final class DirectoryLock implements AutoCloseable {

    private static final String NAME = ".lock";

    private final Path directory;
    private final FileChannel channel;
    private final boolean waited;

    private DirectoryLock(Path directory, FileChannel channel, boolean waited) {
        this.directory = directory;
        this.channel = channel;
        this.waited = waited;
    }

    /**
     * Locks {@code directory}, which is made if it is not there.
     *
     * @throws BadInput where it is no directory to write to, or another process has the lock
     */
    public static DirectoryLock of(Path directory) {
        try {
            FileChannel channel = open(directory);
            if (!isLocked(channel)) {
                channel.close();
                throw new BadInput("Another process is writing to " + directory
                        + ": wait until it ends, or choose another directory");
            }
            return new DirectoryLock(directory, channel, false);
        } catch (IOException e) {
            throw new BadInput("Cannot write to directory " + directory + ": " + BadInput.reason(e), e);
        }
    }

    /** The same, but where another process has the lock, says {@code waiting} on standard error and waits for its end. */
    public static DirectoryLock waitFor(Path directory, String waiting) throws IOException {
        FileChannel channel = open(directory);
        boolean wait = !isLocked(channel);
        if (wait) {
            System.err.println(waiting);
            channel.lock();
        }
        return new DirectoryLock(directory, channel, wait);
    }

    private static FileChannel open(Path directory) throws IOException {
        Files.createDirectories(directory);
        Path file = directory.resolve(NAME);
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new IOException(NAME + " is no regular file");
        }
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            // held by this process
            return false;
        }
    }

    /** Whether another process had the lock before. */
    public boolean hasWaited() {
        return waited;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new IllegalStateException("Cannot release the lock on " + directory, e);
        }
    }
}
