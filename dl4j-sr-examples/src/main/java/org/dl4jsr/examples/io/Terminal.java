package org.dl4jsr.examples.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Standard error, as far as people watch it. Java only knows of input and output together; Linux tells. */
public final class Terminal {

    private Terminal() {}

    /** The beginning of a progress bar on standard error; empty where that is no terminal. */
    public static Optional<ProgressBarBuilder> progressBar() {
        return isStandardError()
                ? Optional.of(new ProgressBarBuilder()
                        .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                        .setUpdateIntervalMillis(250)
                        .setConsumer(new ConsoleProgressBarConsumer(System.err)))
                : Optional.empty();
    }

    @SuppressWarnings("SystemConsoleNull") // Java 17 says null without a terminal
    private static boolean isStandardError() {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
        } catch (IOException e) {
            return System.console() != null;
        }
    }
}
