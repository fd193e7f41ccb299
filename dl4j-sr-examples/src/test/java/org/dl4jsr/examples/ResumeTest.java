package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.run.Checkpoints;
import org.dl4jsr.examples.run.TestRuns;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Real processes, killed for real: what a resumed run ends with is, bit for bit, what an undisturbed run ends with. */
@Tag("slow")
class ResumeTest {

    private static final int STEPS = 100;
    private static final int BATCH = 2;
    private static final int CONTEXT = 16;

    @TempDir
    private Path directory;

    private Path text;

    @BeforeEach
    void writeText() throws IOException {
        text = directory.resolve("text");
        Files.writeString(text, TestRuns.text());
    }

    @Test
    void aKilledRunEndsAsIfUndisturbed() throws Exception {
        Path undisturbed = directory.resolve("undisturbed");
        assertEquals(0, Main.run(pretrain("--out", undisturbed)));

        Path killed = directory.resolve("killed");
        Process process = start(List.of(), pretrain("--out", killed));
        waitForCheckpoints(process, killed, 2);
        process.destroyForcibly().waitFor();
        assertNotEquals(0, process.exitValue());
        long reached = newestStep(killed);
        assertTrue(reached > 0 && reached < STEPS, "killed at step " + reached);

        // a disk that takes no more: one line, exit code 2, and the checkpoints as they were
        Process full =
                start(List.of("bash", "-c", "ulimit -f 1024; exec \"$@\"", "bash"), pretrain("--resume", killed));
        String message = new String(full.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(Main.BAD_INPUT, full.waitFor(), message);
        assertTrue(message.contains("Error: Cannot write " + killed), message);
        assertEquals(reached, newestStep(killed));

        assertEquals(0, Main.run(pretrain("--resume", killed)));
        assertEquals(STEPS, newestStep(killed));
        assertSame(undisturbed, killed);
        assertEquals(withoutSpeed(undisturbed), withoutSpeed(killed));

        // a run that has ended can be resumed: nothing is left to do
        assertEquals(0, Main.run(pretrain("--resume", killed)));
        assertSame(undisturbed, killed);
    }

    private static void assertSame(Path one, Path other) {
        ComputationGraph a = new Checkpoints(one).network(STEPS);
        ComputationGraph b = new Checkpoints(other).network(STEPS);
        assertEquals(bits(a.params()), bits(b.params()));
        assertEquals(
                bits(a.getUpdater().getStateViewArray()), bits(b.getUpdater().getStateViewArray()));
        assertEquals(new Checkpoints(one).newest(), new Checkpoints(other).newest());
    }

    private static ByteBuffer bits(INDArray array) {
        return array.dup().data().asNio();
    }

    private static long newestStep(Path run) {
        return new Checkpoints(run).newest().orElseThrow().step();
    }

    private static List<String> withoutSpeed(Path run) throws IOException {
        return Files.readAllLines(run.resolve("metrics.csv")).stream()
                .map(line -> line.substring(0, line.lastIndexOf(',')))
                .toList();
    }

    private static void waitForCheckpoints(Process process, Path run, int count) throws Exception {
        List<String> seen = new ArrayList<>();
        while (seen.size() < count) {
            assertTrue(process.isAlive(), "the run ended before it was killed");
            if (Files.exists(run)) {
                try (Stream<Path> files = Files.list(run)) {
                    files.map(file -> file.getFileName().toString())
                            .filter(name -> name.matches("checkpoint-\\d+\\.json") && !seen.contains(name))
                            .forEach(seen::add);
                }
            }
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private Process start(List<String> wrapper, String[] arguments) throws IOException {
        List<String> command = new ArrayList<>(wrapper);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private String[] pretrain(String option, Path run) {
        List<String> arguments = new ArrayList<>(List.of("pretrain", option, run.toString()));
        if (option.equals("--out")) {
            arguments.addAll(List.of(
                    "--text",
                    text.toString(),
                    "--batch",
                    "" + BATCH,
                    "--context",
                    "" + CONTEXT,
                    "--tokens",
                    "" + STEPS * BATCH * CONTEXT));
        }
        return arguments.toArray(new String[0]);
    }
}
