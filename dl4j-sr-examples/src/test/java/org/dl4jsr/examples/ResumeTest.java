package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.command.App;
import org.dl4jsr.examples.run.Checkpoints;
import org.dl4jsr.examples.run.GptNetwork;
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
        assertEquals(0, App.run(pretrain("--out", undisturbed)));

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
        assertEquals(App.BAD_INPUT, full.waitFor(), message);
        assertTrue(message.contains("Error: Cannot write " + killed), message);
        assertEquals(reached, newestStep(killed));

        // a signal: a checkpoint where it stands, the command to go on, the exit code of signals
        Process stopped = start(List.of(), pretrain("--resume", killed));
        BufferedReader errors = stopped.errorReader(StandardCharsets.UTF_8);
        String line = errors.readLine();
        while (line != null && !line.startsWith("To go on after an interruption: ")) {
            line = errors.readLine();
        }
        waitForStep(stopped, killed, reached);
        stopped.toHandle().destroy();
        String words = errors.lines().collect(Collectors.joining("\n"));
        assertEquals(143, stopped.waitFor(), words);
        assertTrue(words.contains("To go on: pretrain --resume " + killed), words);
        assertTrue(newestStep(killed) > reached, words);

        // under a language with digits of its own, and an encoding without umlauts
        Process end = start(
                List.of("env", "LC_ALL=C", "JDK_JAVA_OPTIONS=-Duser.language=ar -Duser.country=EG"),
                pretrain("--resume", killed));
        String log = new String(end.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, end.waitFor(), log);
        assertEquals(STEPS, newestStep(killed));
        assertSame(undisturbed, killed);
        assertEquals(withoutSpeed(undisturbed), withoutSpeed(killed));

        // a run that has ended can be resumed: nothing is left to do
        assertEquals(0, App.run(pretrain("--resume", killed)));
        assertSame(undisturbed, killed);
    }

    @Test
    void whatARunIsIsSealed() throws Exception {
        Path run = directory.resolve("run");
        assertEquals(0, App.run(pretrain("--out", run)));
        Path config = run.resolve("config.json");
        String good = Files.readString(config);
        for (String field : List.of("\"seed\" : 1", "\"batch\" : 2", "\"tokens\" : 3200", "\"learningRate\" : 0.002")) {
            assertTrue(good.contains(field), good);
            Files.writeString(config, good.replace(field, field + "1"));
            String message = errorOf(App.BAD_INPUT, pretrain("--resume", run));
            String name = field.substring(1, field.indexOf('"', 1));
            assertTrue(message.contains("config.json has ") && message.contains(name), message);
        }
        Files.writeString(config, good);

        // the curve is gone: that is said, and the result is the run's
        Files.delete(run.resolve("metrics.csv"));
        String message = errorOf(0, pretrain("--resume", run));
        assertTrue(message.contains("metrics.csv is not what it was at step 100"), message);
        assertEquals(2, Files.readAllLines(run.resolve("metrics.csv")).size());

        // on purpose a run may be longer
        assertEquals(0, App.run("pretrain", "--resume", run.toString(), "--tokens", "3840"));
        assertEquals(120, newestStep(run));
        assertTrue(Files.readString(config).contains("\"tokens\" : 3840"));
        assertEquals(
                0,
                App.run(
                        "sample",
                        "--tokens",
                        "5",
                        "--model",
                        run.resolve("checkpoint-00000120.zip").toString()));
    }

    @Test
    void oneOfTwoThatStartTogetherIsRefused() throws Exception {
        Path run = directory.resolve("run");
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(start(List.of(), pretrain("--out", run)));
        }
        int refused = 0;
        for (Process process : processes) {
            String message = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() == App.BAD_INPUT) {
                refused++;
                assertTrue(
                        message.contains("Error: Another process is writing to " + run)
                                || message.contains("already holds a run"),
                        message);
            } else {
                assertEquals(0, process.exitValue(), message);
            }
        }
        assertEquals(1, refused);
        assertEquals(STEPS, newestStep(run));
    }

    private static String errorOf(int exitCode, String... arguments) {
        PrintStream standardError = System.err;
        ByteArrayOutputStream captured = new ByteArrayOutputStream();
        System.setErr(new PrintStream(captured, true, StandardCharsets.UTF_8));
        try {
            assertEquals(exitCode, App.run(arguments));
        } finally {
            System.setErr(standardError);
        }
        return captured.toString(StandardCharsets.UTF_8);
    }

    private static void waitForStep(Process process, Path run, long after) throws Exception {
        Path metrics = run.resolve("metrics.csv");
        while (Files.readAllLines(metrics).size() < after + 5) {
            assertTrue(process.isAlive(), "the run ended before it was stopped");
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private static void assertSame(Path one, Path other) {
        ComputationGraph a = network(one);
        ComputationGraph b = network(other);
        assertEquals(bits(a.params()), bits(b.params()));
        assertEquals(
                bits(a.getUpdater().getStateViewArray()), bits(b.getUpdater().getStateViewArray()));
    }

    private static ComputationGraph network(Path run) {
        Checkpoints checkpoints = new Checkpoints(run);
        return GptNetwork.restore(checkpoints.newest().orElseThrow(), checkpoints.zip(STEPS));
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
