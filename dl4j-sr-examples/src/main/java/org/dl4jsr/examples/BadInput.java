package org.dl4jsr.examples;

import java.io.IOException;

/** Something that the user gave cannot be used. The message is the one line that the user sees; exit code 2. */
final class BadInput extends RuntimeException {

    BadInput(String message) {
        super(message);
    }

    BadInput(String message, Throwable cause) {
        super(message, cause);
    }

    /** What {@code e} says, in one line. */
    static String reason(Exception e) {
        String message =
                e.getMessage() == null ? "" : e.getMessage().lines().findFirst().orElse("");
        return e.getClass() == IOException.class
                ? message
                : e.getClass().getSimpleName().replaceAll("Exception$", "") + " " + message;
    }
}
