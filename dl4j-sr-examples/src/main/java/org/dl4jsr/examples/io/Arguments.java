package org.dl4jsr.examples.io;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The command line as UTF-8. Java decodes it by the locale, and under LC_ALL=C loses what is not ASCII. */
public final class Arguments {

    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

    private Arguments() {}

    /** {@code args} as they were given, where the system tells (Linux); else {@code args}. */
    public static String[] asGiven(String[] args) {
        if (Arrays.stream(args).allMatch(Arguments::isAscii)) {
            return args;
        }
        try {
            return asGiven(args, Files.readAllBytes(COMMAND_LINE));
        } catch (IOException e) {
            // not Linux
            return args;
        }
    }

    /** @param commandLine all arguments of the process, each with a NUL byte after it; the last ones are {@code args} */
    static String[] asGiven(String[] args, byte[] commandLine) {
        List<String> all = List.of(new String(commandLine, StandardCharsets.UTF_8).split("\0", -1));
        int first = all.size() - 1 - args.length;
        if (first < 0) {
            return args;
        }
        String[] given = all.subList(first, first + args.length).toArray(new String[0]);
        for (int i = 0; i < args.length; i++) {
            if (isAscii(args[i]) && !args[i].equals(given[i])) {
                // of an argument file
                return args;
            }
        }
        return given;
    }

    private static boolean isAscii(String text) {
        return text.chars().allMatch(c -> c < 128);
    }
}
