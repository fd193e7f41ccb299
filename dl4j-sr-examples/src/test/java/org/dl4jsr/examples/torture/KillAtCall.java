package org.dl4jsr.examples.torture;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A library that is preloaded into a process and disturbs it at one of the calls that write, create, sync, rename or
 * delete below a directory. Linux, with g++.
 */
final class KillAtCall {

    private static final String SOURCE = "kill_at_call.cpp";

    private final Path library;

    /** What happens at the call. */
    enum How {
        /** SIGKILL. */
        BEFORE,
        /** SIGKILL after half of a write; before what is no write. */
        HALFWAY,
        /** It fails, and so do all after it that need room. */
        FULL_DISK
    }

    /** Whether this machine can compile the library and preload it. */
    static boolean isPossible() throws InterruptedException {
        try {
            return new ProcessBuilder("g++", "-print-file-name=libdl.so.2")
                                    .start()
                                    .waitFor()
                            == 0
                    && System.getProperty("os.name").equals("Linux");
        } catch (IOException e) {
            return false;
        }
    }

    /** Compiles the library into {@code directory}. */
    KillAtCall(Path directory) throws IOException, InterruptedException {
        Path source = directory.resolve(SOURCE);
        try (InputStream in = KillAtCall.class.getResourceAsStream(SOURCE)) {
            Files.copy(in, source);
        }
        library = directory.resolve("libkill_at_call.so");
        Process compiler = new ProcessBuilder(
                        "g++", "-O1", "-shared", "-fPIC", "-o", library.toString(), source.toString(), "-ldl")
                .inheritIO()
                .start();
        if (compiler.waitFor() != 0) {
            throw new IllegalStateException("g++ does not compile " + SOURCE);
        }
    }

    /** The variables of a process that is to name its calls below {@code directory} in {@code log}. */
    Map<String, String> logging(Path directory, Path log) {
        return Map.of(
                "LD_PRELOAD",
                library.toString(),
                "TORTURE_DIRECTORY",
                directory.toString(),
                "TORTURE_LOG",
                log.toString());
    }

    /**
     * The variables of a process that is disturbed at its {@code call}-th call, from 1.
     *
     * @param how what happens then
     */
    Map<String, String> killing(Path directory, int call, How how) {
        return Map.of(
                "LD_PRELOAD",
                library.toString(),
                "TORTURE_DIRECTORY",
                directory.toString(),
                "TORTURE_CALL",
                "" + call,
                "TORTURE_HOW",
                how.name());
    }

    /** What was called, such as {@code rename /run/config.json}, in order. */
    static List<String> calls(Path log) throws IOException {
        return Files.exists(log) ? Files.readAllLines(log) : List.of();
    }
}
