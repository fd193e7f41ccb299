package org.dl4jsr.examples.io;

import java.io.Closeable;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Failures with which the JVM itself cannot go on, in one line each: too little memory, too few threads or open files,
 * libraries that are not there or do not load, mapped files that are gone. Needs none of them.
 */
public final class JvmFailure {

    /** Files that may have to be open at once where a class is loaded. */
    private static final int FILES = 8;

    private JvmFailure() {}

    /** Loads what {@link #line} needs, as long as there are files and memory for it. */
    public static void load() {
        line(new LinkageError());
    }

    /** What has happened and what to do, or null where {@code failure} is none of these. */
    public static String line(Throwable failure) {
        Throwable link = null;
        String advice = null;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String message = String.valueOf(cause.getMessage());
            // Java 17 keeps no more than the name of what failed when a class was initialized before
            if (cause instanceof OutOfMemoryError || message.contains("java.lang.OutOfMemoryError")) {
                return outOfMemory(message);
            }
            if (cause instanceof StackOverflowError) {
                return "the stack is too small: give Java more (java -Xss)";
            }
            // Java's words for it, which come a little later than the access
            if (cause instanceof InternalError && message.contains("unsafe memory access")) {
                return "a file of tokens was cut while it was in use, or its disk fails: put it back, and go on with"
                        + " --resume";
            }
            if (message.contains("Too many open files")) {
                return tooManyOpenFiles();
            }
            if (link == null && cause instanceof IllegalStateException) {
                advice = message;
            }
            link = link == null && cause instanceof LinkageError ? cause : link;
        }
        if (link == null) {
            return null;
        }
        if (!canOpenFiles()) {
            return tooManyOpenFiles();
        }
        if (advice != null) {
            return advice;
        }
        Throwable root = root(link);
        return root instanceof ClassNotFoundException
                ? "class " + root.getMessage() + " is missing: the jar needs its lib/ folder beside it"
                : "this machine cannot load what the program needs: " + BadInput.firstLine(root);
    }

    private static String outOfMemory(String message) {
        String first = message.lines().findFirst().orElse("");
        int gpu = first.indexOf("GPU memory: ");
        if (gpu >= 0) {
            return "not enough " + first.substring(gpu); // with what helps
        }
        return first.contains("native thread")
                ? "no more threads can be started: allow more processes (ulimit -u) or more memory (ulimit -v)"
                : "not enough memory (" + first
                        + "): more heap (java -Xmx), or a smaller --batch, --context or --preset;"
                        + " see the plan command for what a model needs";
    }

    private static String tooManyOpenFiles() {
        return "too many open files: allow 256 or more (ulimit -n)";
    }

    /** A class whose jar cannot be opened is said to be missing. */
    private static boolean canOpenFiles() {
        List<Closeable> opened = new ArrayList<>();
        try {
            for (int i = 0; i < FILES; i++) {
                opened.add(new FileInputStream("/dev/null"));
            }
            return true;
        } catch (IOException e) {
            return !String.valueOf(e.getMessage()).contains("Too many open files");
        } finally {
            for (Closeable file : opened) {
                close(file);
            }
        }
    }

    private static void close(Closeable file) {
        try {
            file.close();
        } catch (IOException e) {
            throw new IllegalStateException("Cannot close a file", e);
        }
    }

    private static Throwable root(Throwable failure) {
        return failure.getCause() == null ? failure : root(failure.getCause());
    }
}
