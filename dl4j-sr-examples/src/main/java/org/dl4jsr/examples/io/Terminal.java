package org.dl4jsr.examples.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the standard streams are. Java only knows of input and output together; Linux tells. */
public final class Terminal {

    private Terminal() {}

    /** Whether people watch standard error. */
    public static boolean isStandardError() {
        return isTerminal(2);
    }

    @SuppressWarnings("SystemConsoleNull") // Java 17 says null without a terminal
    private static boolean isTerminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
        } catch (IOException e) {
            return System.console() != null;
        }
    }
}
