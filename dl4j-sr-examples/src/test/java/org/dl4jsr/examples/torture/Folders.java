package org.dl4jsr.examples.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/** Folders that trials fill and remove. */
final class Folders {

    private Folders() {}

    /** What is in {@code folder} itself. */
    static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    /** {@code folder} and all below it, each before what it holds. */
    static List<Path> walk(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.toList();
        }
    }

    /** Deletes {@code folder} with all below it. */
    static void delete(Path folder) throws IOException {
        List<Path> files = new ArrayList<>(walk(folder));
        Collections.reverse(files);
        for (Path file : files) {
            Files.delete(file);
        }
    }
}
