package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Path;
import java.util.Map;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Bytes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkersTest {

    @TempDir
    private Path directory;

    @Test
    void withoutSparkTheProfileIsNamed() {
        String message = assertThrows(
                        BadInput.class, () -> SparkProcess.classPath("app.jar", directory.resolve("spark")))
                .getMessage();
        assertTrue(message.contains("mvn -q -DskipTests package -Pspark"), message);
        assertEquals(
                "app.jar" + File.pathSeparator + directory.resolve("*"), SparkProcess.classPath("app.jar", directory));
    }

    @Test
    void eachTakesAPassAtLeast() {
        RunConfig config = TestRuns.config("bf16-sr", 1, 4, 1);
        Workers.require(4, config);
        for (int workers : new int[] {0, 5}) {
            String message = assertThrows(BadInput.class, () -> Workers.require(workers, config))
                    .getMessage();
            assertTrue(message.startsWith("--workers " + workers + " with --accumulate 4: expected 1"), message);
        }
    }

    @Test
    void theProcessorsAreDealtOut() {
        assertEquals(4, Workers.threads(2, Map.of(), 8));
        assertEquals(1, Workers.threads(3, Map.of(), 2));
        assertEquals(3, Workers.threads(4, Map.of("OMP_NUM_THREADS", " 3"), 8));
    }

    @Test
    void aRankIsSaidToKeepItsShareOfTheState() {
        RunConfig config = TestRuns.config("bf16-sr", 1, 4, 1);
        long bytes = 4 * config.model().parameters();
        String two = Workers.description(2, config);
        assertTrue(two.startsWith("2 ranks, a process each, "), two);
        assertTrue(two.contains("SHARDED: " + Bytes.format(bytes / 2) + " of optimizer state"), two);
    }
}
