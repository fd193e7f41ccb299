package org.dl4jsr.examples.io;

import java.io.IOException;

/** Something that the user gave cannot be used. The message is the one line that the user sees; exit code 2. */
public final class BadInput extends RuntimeException {

    public BadInput(String message) {
        super(message);
    }

    public BadInput(String message, Throwable cause) {
        super(message, cause);
    }

    /** Throws where {@code value} is not from 1 to {@code most}. */
    public static void requireRange(String name, long value, long most) {
        if (value < 1 || value > most) {
            throw new BadInput(name + " " + value + " is out of range: expected 1 to " + most);
        }
    }

    /** Class and message of {@code e}, in one line. */
    public static String firstLine(Throwable e) {
        String message = e.getMessage() == null ? "" : e.getMessage();
        return e.getClass().getSimpleName() + " " + message.lines().findFirst().orElse("");
    }

    /** What {@code e} says, in one line. */
    public static String reason(Exception e) {
        String message =
                e.getMessage() == null ? "" : e.getMessage().lines().findFirst().orElse("");
        return e.getClass() == IOException.class
                ? message
                : e.getClass().getSimpleName().replaceAll("Exception$", "") + " " + message;
    }
}
