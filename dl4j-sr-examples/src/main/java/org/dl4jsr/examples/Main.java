package org.dl4jsr.examples;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.dl4jsr.examples.command.App;
import org.dl4jsr.examples.io.Arguments;
import org.dl4jsr.examples.io.JvmFailure;

/** The process: text in and out is UTF-8 whatever the locale, and what cannot even be loaded is one line, too. */
public final class Main {

    private Main() {}

    public static void main(String[] args) {
        System.setOut(utf8(FileDescriptor.out));
        System.setErr(utf8(FileDescriptor.err));
        JvmFailure.load();
        int exitCode;
        try {
            exitCode = App.run(Arguments.asGiven(args));
        } catch (VirtualMachineError | LinkageError e) {
            System.err.println("Error: " + JvmFailure.line(e));
            exitCode = 1;
        }
        System.exit(exitCode);
    }

    private static PrintStream utf8(FileDescriptor descriptor) {
        return new PrintStream(new FileOutputStream(descriptor), true, StandardCharsets.UTF_8);
    }
}
