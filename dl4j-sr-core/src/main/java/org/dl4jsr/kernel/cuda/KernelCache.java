package org.dl4jsr.kernel.cuda;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiled kernels on disk, since compiling takes seconds. A file's name is the digest of all that decides its content
 * (sources, options, NVRTC's version, architecture); it starts with the digest of its content, so that a damaged file
 * shows and is compiled again. Files are written under another name and renamed: several processes may share a
 * directory.
 */
final class KernelCache {

    /** System property that names the directory; by default ~/.cache/dl4j-sr/cuda. */
    static final String DIRECTORY_PROPERTY = "org.dl4jsr.kernel.cuda.cache";

    private static final Logger LOG = LoggerFactory.getLogger(KernelCache.class);
    private static final int DIGEST_BYTES = 32;

    private final Path directory;

    KernelCache(Path directory) {
        this.directory = directory;
    }

    /** The cache of this user, or the one that {@link #DIRECTORY_PROPERTY} names. */
    static KernelCache ofUser() {
        String named = System.getProperty(DIRECTORY_PROPERTY);
        return new KernelCache(
                named != null ? Path.of(named) : Path.of(System.getProperty("user.home"), ".cache", "dl4j-sr", "cuda"));
    }

    /** The kernels of {@code source} for {@code architecture}, compiled unless they are at hand. */
    byte[] get(KernelSource source, String architecture) {
        Path file = file(source, architecture);
        byte[] image = read(file);
        if (image == null) {
            image = Nvrtc.compile(source, architecture);
            write(file, image);
        }
        return image;
    }

    /** Where the kernels of {@code source} for {@code architecture} are kept. */
    Path file(KernelSource source, String architecture) {
        var content = new StringBuilder();
        for (String part : Nvrtc.OPTIONS) {
            content.append(part).append('\n');
        }
        content.append(Nvrtc.version())
                .append('\n')
                .append(architecture)
                .append('\n')
                .append(source.text());
        for (String header : KernelSource.headers(source.text()).values()) {
            content.append('\n').append(header);
        }
        String key = HexFormat.of().formatHex(digest(content.toString().getBytes(StandardCharsets.UTF_8)), 0, 16);
        return directory.resolve(source.file() + "-" + architecture + "-" + key);
    }

    /** The image in {@code file}, or null where there is none or a damaged one. */
    private static byte[] read(Path file) {
        try {
            byte[] content = Files.readAllBytes(file);
            if (content.length > DIGEST_BYTES) {
                byte[] image = Arrays.copyOfRange(content, DIGEST_BYTES, content.length);
                if (Arrays.equals(digest(image), Arrays.copyOf(content, DIGEST_BYTES))) {
                    return image;
                }
            }
            LOG.warn("Cached CUDA kernels {} are damaged, compiling again", file);
        } catch (NoSuchFileException e) {
            LOG.debug("No cached CUDA kernels {}", file);
        } catch (IOException e) {
            LOG.warn("Cached CUDA kernels cannot be read, compiling again: {}", e.toString());
        }
        return null;
    }

    private void write(Path file, byte[] image) {
        try {
            Files.createDirectories(directory);
            Path written = Files.createTempFile(directory, file.getFileName().toString(), ".tmp");
            try {
                var content = new ByteArrayOutputStream();
                content.writeBytes(digest(image));
                content.writeBytes(image);
                Files.write(written, content.toByteArray());
                Files.move(written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(written);
            }
        } catch (IOException e) {
            LOG.warn(
                    "Compiled CUDA kernels cannot be kept in {}, the next process compiles again: {}",
                    directory,
                    e.toString());
        }
    }

    private static byte[] digest(byte[] content) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(content);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has SHA-256
        }
    }
}
