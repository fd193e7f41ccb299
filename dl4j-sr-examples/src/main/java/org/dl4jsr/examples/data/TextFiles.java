package org.dl4jsr.examples.data;

import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.ByteProgress;
import org.dl4jsr.examples.io.Texts;

/**
 * The user's own text: files, and directories with all files below them. The end of a file's name says what is in it:
 * {@code .jsonl} JSON lines, {@code .bin} tokens, anything else UTF-8 without NUL; {@code .gz} after that is packed.
 * Hidden files and folders in a directory and its empty files are left out; what cannot be read or is not what its name
 * says is passed over and named. Nothing is read twice that can be read once only.
 */
final class TextFiles {

    private static final int NAMES_SHOWN = 3;

    private final String jsonField;
    private final Tokenizer tokenizer;
    private final List<Found> found = new ArrayList<>();

    /** A file, or why there is none. */
    private record Found(String shown, CorpusFile file, String problem) {}

    /** What the reading of a file came to: it is good, or has a problem. */
    private record Outcome(String shown, ScannedFile scanned, String problem) {}

    private TextFiles(String jsonField, Tokenizer tokenizer) {
        this.jsonField = jsonField;
        this.tokenizer = tokenizer;
    }

    /**
     * All good files in the order given, those of a directory by path. At least one.
     *
     * @param jsonField the text's field in JSON lines
     * @param tokenizer the run's
     */
    static List<ScannedFile> scan(List<Path> paths, String jsonField, Tokenizer tokenizer) {
        TextFiles files = new TextFiles(jsonField, tokenizer);
        paths.forEach(files::find);
        return files.scanFound(paths);
    }

    /** The same of files in memory, all of which are good. */
    static List<ScannedFile> scan(List<Document> documents) {
        List<ScannedFile> scanned = new ArrayList<>();
        try (ByteProgress progress = new ByteProgress("Reading", 0)) {
            for (Document document : documents) {
                scanned.add(document.scan(progress));
            }
        } catch (IOException e) {
            throw new IllegalArgumentException("Bad document", e);
        }
        return scanned;
    }

    private void find(Path path) {
        if (Files.isDirectory(path)) {
            int before = found.size();
            findBelow(path);
            if (found.size() == before) {
                throw new BadInput("Text directory " + path + " holds no text file (UTF-8, not empty, not hidden)");
            }
        } else if (Files.isRegularFile(path)) {
            found.add(new Found(path.toString(), file(name(path.getFileName()), path), null));
        } else {
            found.add(new Found(path.toString(), file(name(path.getFileName()), spooled(path)), null));
        }
    }

    private void findBelow(Path directory) {
        TreeMap<String, Found> below = new TreeMap<>();
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
                                below.put(name, new Found(name, null, "a pipe, a device or a link to nothing"));
                            } else if (attributes.size() > 0 && !isHidden(file)) {
                                below.put(name, new Found(name, file(name, file), null));
                            }
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e) {
                            if (!isHidden(file)) {
                                String name = name(directory.relativize(file));
                                below.put(name, new Found(name, null, reason(e)));
                            }
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw unreadable(directory, e);
        }
        found.addAll(below.values());
    }

    private CorpusFile file(String name, Path file) {
        String lower = name.toLowerCase(Locale.ROOT);
        boolean gzip = lower.endsWith(".gz");
        String unpacked = gzip ? lower.substring(0, lower.length() - 3) : lower;
        if (lower.endsWith(".bin")) {
            return new TokenFile(name, file, tokenizer);
        }
        TextFormat format = unpacked.endsWith(".jsonl") ? new JsonLines(jsonField) : new PlainText();
        return new Document(name, format, new Document.OnDisk(file, gzip));
    }

    /** The content of a pipe or device, which gives it once, in a file that ends with this process. */
    private static Path spooled(Path pipe) {
        try (var in = Files.newInputStream(pipe)) {
            Path file = Files.createTempFile("dl4j-sr-text-", null);
            file.toFile().deleteOnExit();
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
            return file;
        } catch (IOException e) {
            throw unreadable(pipe, e);
        }
    }

    private List<ScannedFile> scanFound(List<Path> paths) {
        long size = found.stream()
                .filter(file -> file.file != null)
                .mapToLong(file -> file.file.size())
                .sum();
        List<Outcome> outcomes;
        try (ByteProgress progress = new ByteProgress("Reading text", size)) {
            outcomes =
                    found.parallelStream().map(file -> outcome(file, progress)).toList();
        }
        List<ScannedFile> good =
                outcomes.stream().map(Outcome::scanned).filter(Objects::nonNull).toList();
        List<Outcome> bad =
                outcomes.stream().filter(outcome -> outcome.scanned == null).toList();
        String where = paths.stream().map(Path::toString).collect(Collectors.joining(", "));
        if (good.isEmpty()) {
            throw none(where, paths, bad);
        }
        if (!bad.isEmpty()) {
            System.err.println(Texts.oneLine("Passed over " + bad.size() + " of " + outcomes.size() + " files in "
                    + where
                    + ": "
                    + bad.stream().limit(NAMES_SHOWN).map(TextFiles::shown).collect(Collectors.joining(", "))
                    + (bad.size() > NAMES_SHOWN ? ", ..." : "")));
        }
        return good;
    }

    private static Outcome outcome(Found file, ByteProgress progress) {
        if (file.file == null) {
            return new Outcome(file.shown, null, file.problem);
        }
        try {
            ScannedFile scanned = file.file.scan(progress);
            return scanned.units() > 0
                    ? new Outcome(file.shown, scanned, null)
                    : new Outcome(file.shown, null, "empty");
        } catch (UnfitFileException e) {
            return new Outcome(file.shown, null, e.getMessage());
        } catch (IOException e) {
            return new Outcome(file.shown, null, "unreadable: " + reason(e));
        }
    }

    private static String shown(Outcome bad) {
        return bad.shown + " (" + bad.problem + ")";
    }

    private static BadInput none(String where, List<Path> paths, List<Outcome> bad) {
        String first = shown(bad.get(0));
        if (paths.size() > 1) {
            return new BadInput("None of the files in " + where + " can be used, for example " + first);
        }
        return Files.isDirectory(paths.get(0))
                ? new BadInput("Text directory " + where + " holds no text file, for example " + first)
                : new BadInput("Text file " + where + " is " + bad.get(0).problem);
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

    private static String reason(IOException e) {
        if (e instanceof FileSystemLoopException) {
            return "a loop of links";
        }
        return e instanceof AccessDeniedException ? "permission denied" : BadInput.reason(e);
    }

    private static BadInput unreadable(Path path, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new BadInput("Text " + path + " does not exist", e);
        }
        return new BadInput("Text " + path + " cannot be read: " + reason(e), e);
    }
}
