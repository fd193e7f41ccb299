package org.dl4jsr;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A JVM of its own, for tests of what a process finds and says. */
public final class JavaProcess {

    private JavaProcess() {}

    /** The command of a JVM that starts fast rather than runs fast, with these options, main class and arguments. */
    public static List<String> command(String... rest) {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(rest));
        return command;
    }
}
