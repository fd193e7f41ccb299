package org.dl4jsr.examples;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What this process says on standard error, until it is closed. */
public final class CapturedError implements AutoCloseable {

    private final PrintStream standardError = System.err;
    private final ByteArrayOutputStream captured = new ByteArrayOutputStream();

    public CapturedError() {
        System.setErr(new PrintStream(captured, true, StandardCharsets.UTF_8));
    }

    /** What was said so far. */
    public String text() {
        return captured.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        System.setErr(standardError);
    }
}
