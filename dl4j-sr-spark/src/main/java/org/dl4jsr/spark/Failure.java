package org.dl4jsr.spark;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.dl4jsr.parallel.Storage;

/**
 * Why an attempt need not be repeated, in a file of the run's folder: of the exceptions of a stage Spark tells the first
 * one alone, which is another rank's that was left behind as often as not.
 */
final class Failure {

    private static final String FOLDER = "failures";

    private Failure() {}

    /** Notes the failure of an attempt. */
    static void note(Storage storage, int attempt, String message) throws IOException {
        try (OutputStream out = storage.create(FOLDER + "/" + attempt)) {
            out.write(message.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** What was noted of an attempt, if anything. */
    static Optional<String> of(Storage storage, int attempt) throws IOException {
        if (!storage.list(FOLDER).contains("" + attempt)) {
            return Optional.empty();
        }
        try (InputStream in = storage.open(FOLDER + "/" + attempt, 0)) {
            return Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }
}
