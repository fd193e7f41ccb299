package org.dl4jsr.examples;

/** Something that the user gave cannot be used. The message is the one line that the user sees; exit code 2. */
final class BadInput extends RuntimeException {

    BadInput(String message) {
        super(message);
    }

    BadInput(String message, Throwable cause) {
        super(message, cause);
    }
}
