package org.dl4jsr.examples.data;

import java.io.IOException;

/** A file is not what its name says. The message goes on after "is". */
final class UnfitFileException extends IOException {

    private static final long serialVersionUID = 1;

    UnfitFileException(String message) {
        super(message);
    }
}
