package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Bytes;
import org.dl4jsr.parallel.Cluster;
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
        config.budget().requireWorkers(4);
        for (int workers : new int[] {0, 5}) {
            String message = assertThrows(BadInput.class, () -> config.budget().requireWorkers(workers))
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

    @Test
    void aClusterThatIsSetUpWronglyIsBadInput() throws IOException {
        assertNoRun("--workers: The master is local, which has no executors", MasterWithoutExecutors.class);
    }

    @Test
    void aClusterThatCannotBeReachedLeavesNoRun() throws IOException {
        assertNoRun("--workers: All masters are unresponsive", UnreachableMaster.class);
    }

    private void assertNoRun(String message, Class<? extends Cluster> cluster) throws IOException {
        Path services = Files.writeString(directory.resolve("services"), cluster.getName());
        Thread thread = Thread.currentThread();
        ClassLoader loader = thread.getContextClassLoader();
        thread.setContextClassLoader(new ClassLoader(loader) {
            @Override
            public Enumeration<URL> getResources(String name) throws IOException {
                return name.equals("META-INF/services/" + Cluster.class.getName())
                        ? Collections.enumeration(List.of(services.toUri().toURL()))
                        : super.getResources(name);
            }
        });
        try {
            Path text = Files.writeString(directory.resolve("text"), TestRuns.text());
            RunConfig config = TestRuns.tiny(text, 1).withBudget(new TrainingBudget(8 * 2 * 4, 2, 4));
            RunFacilities facilities = new RunFacilities(directory, null, 2, null);
            Path run = directory.resolve("run");
            assertEquals(
                    message,
                    assertThrows(BadInput.class, () -> Pretraining.start(run, config, facilities))
                            .getMessage());
            assertFalse(Files.exists(run));
        } finally {
            thread.setContextClassLoader(loader);
        }
    }

    /** Found by its name. */
    public static final class MasterWithoutExecutors implements Cluster {
        @Override
        public void require() {
            throw new IllegalArgumentException("The master is local, which has no executors");
        }

        @Override
        public Processes start(Request request) {
            throw new IllegalStateException("require has to be called first");
        }
    }

    /** Found by its name. */
    public static final class UnreachableMaster implements Cluster {
        @Override
        public void require() {
            // nothing is wrong with its settings
        }

        @Override
        public Processes start(Request request) {
            throw new IllegalStateException("All masters are unresponsive");
        }
    }
}
