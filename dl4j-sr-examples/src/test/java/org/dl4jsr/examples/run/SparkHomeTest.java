package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkHomeTest {

    @TempDir
    private Path parent;

    @Test
    void whatAKilledProcessHasLeftIsDeletedAndNothingElse() throws IOException {
        Path left =
                Files.createDirectories(parent.resolve("dl4j-sr-spark1/work")).getParent();
        Files.createFile(left.resolve("in-use"));
        Path kept;
        try (SparkHome failed = SparkHome.in(parent)) {
            kept = Files.createFile(failed.path().resolve("stderr"));
            failed.keep();
        }
        Path other = Files.createDirectory(parent.resolve("dl4j-sr-sparks-of-others"));
        try (SparkHome running = SparkHome.in(parent);
                SparkHome next = SparkHome.in(parent)) {
            assertFalse(Files.exists(left));
            assertTrue(Files.exists(kept));
            assertTrue(Files.exists(other));
            assertTrue(Files.isDirectory(running.path().resolve("jars")));
            next.close();
            assertFalse(Files.exists(next.path()));
            assertTrue(Files.isDirectory(running.path()));
        }
    }
}
