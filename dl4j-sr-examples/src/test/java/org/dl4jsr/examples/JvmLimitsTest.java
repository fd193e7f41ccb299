package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dl4jsr.examples.command.App;
import org.dl4jsr.examples.run.TestRuns;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the JVM itself cannot go on, that is one line and exit code 1; where its settings do not let it, 2. */
@Tag("slow")
class JvmLimitsTest {

    @TempDir
    private Path directory;

    private AppProcess pretrain;

    @BeforeEach
    void writeText() throws IOException {
        Path text = Files.writeString(directory.resolve("text"), TestRuns.text());
        pretrain = AppProcess.of(
                "pretrain", "--out", directory.resolve("run").toString(), "--text", text.toString(), "--context", "16");
    }

    @Test
    void withoutItsLibraries() throws Exception {
        String classes = Path.of(Main.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .toString();
        assertLine("class .* is missing: the jar needs its lib/ folder beside it", pretrain.withClassPath(classes));
    }

    @Test
    void withTooFewOpenFiles() throws Exception {
        assertLine(
                "too many open files: allow 256 or more \\(ulimit -n\\)",
                pretrain.wrappedIn("bash", "-c", "ulimit -n 40; exec \"$@\"", "bash"));
    }

    @Test
    void withNowhereToUnpackLibraries() throws Exception {
        assertLine(
                "this machine cannot load what the program needs: .* Could not create the cache: Set the"
                        + " \"org.bytedeco.javacpp.cachedir\" system property.",
                pretrain.withJava("-Djava.io.tmpdir=/proc/none", "-Duser.home=/proc/none"));
    }

    @Test
    void withAnotherBackend() throws Exception {
        assertLine(
                App.BAD_INPUT,
                "Bf16.* needs dl4j-sr's ND4J backend, and .* is in force: the system property backends is .*",
                pretrain.withJava("-Dbackends=org.nd4j.linalg.cpu.nativecpu.CpuBackend"));
    }

    private static void assertLine(String pattern, AppProcess app) throws Exception {
        assertLine(App.FAILED, pattern, app);
    }

    private static void assertLine(int exitCode, String pattern, AppProcess app) throws Exception {
        AppProcess.Outcome outcome = app.run();
        // ND4J says by itself which backends it skips
        String error = outcome.error().replaceAll("WARN .*\n", "");
        assertTrue(error.matches("Error: " + pattern + "\n"), outcome.error());
        assertEquals(exitCode, outcome.exitCode());
    }
}
