package org.dl4jsr.examples.data;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Texts;

/**
 * The user's own text: files, and directories with all files below them. Text is UTF-8 without NUL. A file that the
 * user names must be text; in a directory, hidden files and folders, empty files and files that are not text are passed
 * over. Nothing is read twice that can be read once only.
 */
final class TextFiles {

    /** Enough to see that a large file is no text. */
    private static final int PIECE = 1 << 16;

    private static final int NAMES_SHOWN = 3;

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
                documents.add(named(path));
            }
        }
        return documents;
    }

    private static Document named(Path path) {
        String text = read(path);
        if (text.isEmpty()) {
            throw new BadInput("Text file " + path + " is empty");
        }
        // a pipe gives its text once
        Supplier<String> again = Files.isRegularFile(path) ? () -> read(path) : () -> text;
        return new Document(name(path.getFileName()), again);
    }

    private static List<Document> below(Path directory) {
        TreeMap<String, Path> files = new TreeMap<>();
        List<String> passedOver = new ArrayList<>();
        try {
            Files.walkFileTree(
                    directory, Set.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                            return isHidden(folder) && !folder.equals(directory)
                                    ? FileVisitResult.SKIP_SUBTREE
                                    : FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                            String name = name(directory.relativize(file));
                            if (!attributes.isRegularFile() && !isHidden(file)) {
                                passedOver.add(name + " (a pipe, a device or a link to nothing)");
                            } else if (attributes.size() > 0 && !isHidden(file)) {
                                files.put(name, file);
                            }
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e) {
                            if (!isHidden(file)) {
                                String why = e instanceof FileSystemLoopException ? "a loop of links" : reason(e);
                                passedOver.add(name(directory.relativize(file)) + " (" + why + ")");
                            }
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw unreadable(directory, e);
        }
        List<Document> documents = new ArrayList<>();
        files.forEach((name, file) -> {
            String problem = problem(file);
            if (problem == null) {
                documents.add(new Document(name, () -> read(file)));
            } else {
                passedOver.add(name + " (" + problem + ")");
            }
        });
        if (!passedOver.isEmpty()) {
            int total = documents.size() + passedOver.size();
            System.err.println("Passed over " + passedOver.size() + " of " + total + " files in " + directory + ": "
                    + String.join(", ", passedOver.subList(0, Math.min(NAMES_SHOWN, passedOver.size())))
                    + (passedOver.size() > NAMES_SHOWN ? ", ..." : ""));
        }
        return documents;
    }

    /**
     * {@code path} with '/' between folders, decoded as UTF-8: Java's own decoding follows the locale, and the name
     * decides what is for validation.
     */
    private static String name(Path path) {
        StringBuilder name = new StringBuilder();
        for (Path part : path) {
            name.append(name.isEmpty() ? "" : "/");
            // a URI has the bytes of a name; "/" stands at its end where there happens to be such a folder
            String encoded = Path.of("/").resolve(part).toUri().getRawPath().replaceAll("/$", "");
            String last = encoded.substring(encoded.lastIndexOf('/') + 1);
            name.append(URLDecoder.decode(last.replace("+", "%2B"), StandardCharsets.UTF_8));
        }
        return name.toString();
    }

    private static boolean isHidden(Path path) {
        return path.getFileName() != null && path.getFileName().toString().startsWith(".");
    }

    private static String read(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        } catch (OutOfMemoryError e) {
            throw new BadInput(
                    "Text file " + file + " does not fit into memory: split it, or give Java more heap"
                            + " (java -Xmx)",
                    e);
        }
        String problem = problem(file, new ByteArrayInputStream(bytes));
        if (problem != null) {
            throw new BadInput("Text file " + file + " is not UTF-8 text: " + problem);
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static String problem(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return problem(file, in);
        } catch (AccessDeniedException e) {
            return "permission denied";
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** What makes it no text, or null where it is text; a piece at a time, so that size does not matter. */
    private static String problem(Path file, InputStream in) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer bytes = ByteBuffer.allocate(PIECE);
        CharBuffer characters = CharBuffer.allocate(PIECE);
        long offset = 0;
        try {
            for (boolean end = false; !end; ) {
                int read = in.readNBytes(bytes.array(), bytes.position(), bytes.remaining());
                end = read < bytes.remaining();
                bytes.position(bytes.position() + read).flip();
                for (int i = 0; i < bytes.limit(); i++) {
                    if (bytes.get(i) == 0) {
                        return "a NUL byte at offset " + (offset + i);
                    }
                }
                CoderResult result = decoder.decode(bytes, characters.clear(), end);
                if (result.isError()) {
                    return Texts.format(
                            "byte 0x%02X at offset %d (convert it, for example with iconv)",
                            bytes.get(bytes.position()), offset + bytes.position());
                }
                offset += bytes.position();
                bytes.compact();
            }
            return null;
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static String reason(IOException e) {
        return e instanceof AccessDeniedException ? "permission denied" : BadInput.reason(e);
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
