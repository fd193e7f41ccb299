package org.dl4jsr.parallel;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A directory, of this machine or of a file system that all machines mount. */
public final class FileStorage implements Storage {

    private final Path root;

    /** {@code root} is made where it does not exist. */
    public FileStorage(Path root) {
        this.root = root;
    }

    @Override
    public OutputStream create(String name) throws IOException {
        Path path = root.resolve(name);
        Files.createDirectories(path.getParent());
        return new FileOutputStream(path.toFile()) {
            @Override
            public void close() throws IOException {
                if (getFD().valid()) {
                    getFD().sync();
                }
                super.close();
            }
        };
    }

    @Override
    public InputStream open(String name, long position) throws IOException {
        return Channels.newInputStream(FileChannel.open(root.resolve(name)).position(position));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Path target = root.resolve(to);
        Files.move(root.resolve(from), target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel folder = FileChannel.open(target.getParent(), StandardOpenOption.READ)) {
            folder.force(true);
        } catch (IOException e) {
            // Windows: a directory cannot be opened, and makes renames last by itself
        }
    }

    @Override
    public boolean claim(String name) throws IOException {
        Path path = root.resolve(name);
        Files.createDirectories(path.getParent());
        try {
            Files.createFile(path);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        }
    }

    @Override
    public List<String> list(String folder) throws IOException {
        Path path = root.resolve(folder);
        if (!Files.isDirectory(path)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(path)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Override
    public void delete(String name) throws IOException {
        Path path = root.resolve(name);
        if (!Files.exists(path)) {
            return;
        }
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
