package org.dl4jsr.examples.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Texts;

/**
 * The user's own text: files, and directories with all files below them. Text is UTF-8 without NUL. A file that the
 * user names must be text; in a directory, hidden files and folders, empty files and files that are not text are passed
 * over.
 */
final class TextFiles {

    private TextFiles() {}

    /** Files in the order given, those of a directory by path. */
    static List<Document> documents(List<Path> paths) {
        List<Document> documents = new ArrayList<>();
        for (Path path : paths) {
            if (Files.isDirectory(path)) {
                List<Document> below = below(path);
                if (below.isEmpty()) {
                    throw new BadInput("Text directory " + path + " holds no text file (UTF-8, not empty, not hidden)");
                }
                documents.addAll(below);
            } else {
                String text = read(path);
                if (text.isEmpty()) {
                    throw new BadInput("Text file " + path + " is empty");
                }
                documents.add(new Document(path.getFileName().toString(), () -> read(path)));
            }
        }
        return documents;
    }

    private static List<Document> below(Path directory) {
        List<Document> documents = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(directory, FileVisitOption.FOLLOW_LINKS)) {
            for (Path file : walk.filter(Files::isRegularFile).sorted().toList()) {
                Path relative = directory.relativize(file);
                if (!isHidden(relative) && isText(file)) {
                    documents.add(new Document(relative.toString().replace('\\', '/'), () -> read(file)));
                }
            }
        } catch (IOException e) {
            throw unreadable(directory, e);
        } catch (UncheckedIOException e) {
            throw unreadable(directory, e.getCause());
        }
        return documents;
    }

    private static boolean isHidden(Path relative) {
        for (Path part : relative) {
            if (part.toString().startsWith(".")) {
                return true;
            }
        }
        return false;
    }

    private static boolean isText(Path file) {
        byte[] bytes = bytes(file);
        return bytes.length > 0 && problem(bytes) == null;
    }

    private static String read(Path file) {
        byte[] bytes = bytes(file);
        String problem = problem(bytes);
        if (problem != null) {
            throw new BadInput("Text file " + file + " is not UTF-8 text: " + problem);
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        } catch (OutOfMemoryError e) {
            throw new BadInput(
                    "Text file " + file + " does not fit into memory: split it, or give Java more heap"
                            + " (java -Xmx)",
                    e);
        }
    }

    /** What makes {@code bytes} no text, or null where they are text. */
    private static String problem(byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == 0) {
                return "a NUL byte at offset " + i;
            }
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        try {
            StandardCharsets.UTF_8.newDecoder().decode(buffer);
            return null;
        } catch (CharacterCodingException e) {
            return Texts.format(
                    "byte 0x%02X at offset %d (convert it, for example with iconv)",
                    bytes[buffer.position()], buffer.position());
        }
    }

    private static BadInput unreadable(Path path, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new BadInput("Text " + path + " does not exist", e);
        }
        if (e instanceof AccessDeniedException) {
            return new BadInput("Text " + path + " may not be read: permission denied", e);
        }
        return new BadInput("Text " + path + " cannot be read: " + BadInput.reason(e), e);
    }
}
