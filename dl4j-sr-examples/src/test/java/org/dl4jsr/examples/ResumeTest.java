package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.command.App;
import org.dl4jsr.examples.run.Checkpoint;
import org.dl4jsr.examples.run.Checkpoints;
import org.dl4jsr.examples.run.GptNetwork;
import org.dl4jsr.examples.run.RunDirectory;
import org.dl4jsr.examples.run.TestRuns;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs that are stopped, changed or started twice: what a resumed run ends with is, bit for bit, what an undisturbed run
 * ends with. Runs that are killed: {@link org.dl4jsr.examples.torture}.
 */
@Tag("slow")
class ResumeTest {

    @TempDir
    private Path directory;

    private Path text;

    @BeforeEach
    void writeText() throws IOException {
        text = directory.resolve("text");
        Files.writeString(text, TestRuns.text());
    }

    @Test
    void aStoppedRunEndsAsIfUndisturbed() throws Exception {
        int steps = 200;
        Path undisturbed = begun("undisturbed", steps);
        // in a process, too: the bits depend on the number of threads
        assertEquals(0, AppProcess.resume(undisturbed).run().exitCode());

        // a signal: a checkpoint where it stands, the command to go on, the exit code of signals
        Path stopped = begun("stopped here", steps);
        Process process = AppProcess.resume(stopped).start();
        waitForRows(process, stopped);
        process.toHandle().destroy();
        String words = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(143, process.waitFor(), words);
        assertTrue(words.contains("To go on: pretrain --resume '" + stopped + "'"), words);
        long reached = newestStep(stopped);
        assertTrue(reached > 0 && reached < steps, words);

        // under a language with digits of its own, and an encoding without umlauts
        AppProcess.Outcome end = AppProcess.resume(stopped)
                .with(Map.of("LC_ALL", "C"))
                .withJava("-Duser.language=ar", "-Duser.country=EG")
                .run();
        assertEquals(0, end.exitCode(), end.error());
        assertEquals(steps, newestStep(stopped));
        assertSame(undisturbed, stopped);
        assertEquals(withoutSpeed(undisturbed), withoutSpeed(stopped));

        // a run that has ended can be resumed: nothing is left to do
        assertEquals(0, resume(stopped));
        assertSame(undisturbed, stopped);
    }

    @Test
    void whatARunIsIsSealed() throws Exception {
        Path run = begun("run", 60);
        assertEquals(0, resume(run));
        Path config = run.resolve("config.json");
        String good = Files.readString(config);
        for (String field : List.of(
                "\"seed\" : 1", "\"batch\" : 1", "\"tokens\" : 480", "\"learningRate\" : 0.002", "\"beta2\" : 0.95")) {
            assertTrue(good.contains(field), good);
            Files.writeString(config, good.replace(field, field + "1"));
            String message = errorOf(App.BAD_INPUT, "pretrain", "--resume", run.toString());
            String name = field.substring(1, field.indexOf('"', 1));
            assertTrue(message.contains("config.json has ") && message.contains(name), message);
        }
        Files.writeString(config, good);

        // the curve is gone: that is said, and the result is the run's
        Files.delete(run.resolve("metrics.csv"));
        String message = errorOf(0, "pretrain", "--resume", run.toString());
        assertTrue(message.contains("metrics.csv is not what it was at step 60"), message);
        assertEquals(2, Files.readAllLines(run.resolve("metrics.csv")).size());

        // on purpose a run may be longer
        assertEquals(0, App.run("pretrain", "--resume", run.toString(), "--tokens", "640"));
        assertEquals(80, newestStep(run));
        assertTrue(Files.readString(config).contains("\"tokens\" : 640"));
        String zip = run.resolve("checkpoint-00000080.zip").toString();
        assertEquals(0, App.run("sample", "--tokens", "5", "--model", zip));
    }

    @Test
    void oneOfTwoThatStartTogetherIsRefused() throws Exception {
        Path run = directory.resolve("run");
        AppProcess app = AppProcess.pretrain(run, text, 10);
        int refused = 0;
        for (Process process : List.of(app.start(), app.start())) {
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
        assertEquals(10, newestStep(run));
    }

    /** A run that has its configuration and no more. */
    private Path begun(String name, int steps) {
        Path run = directory.resolve(name);
        RunDirectory.create(run, TestRuns.tiny(text, steps)).close();
        return run;
    }

    private static int resume(Path run) {
        return App.run("pretrain", "--resume", run.toString());
    }

    private static String errorOf(int exitCode, String... arguments) {
        try (CapturedError error = new CapturedError()) {
            assertEquals(exitCode, App.run(arguments));
            return error.text();
        }
    }

    private static void waitForRows(Process process, Path run) throws Exception {
        Path metrics = run.resolve("metrics.csv");
        while (!Files.exists(metrics) || Files.readAllLines(metrics).size() < 5) {
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
        Checkpoint newest = checkpoints.newest().orElseThrow();
        return GptNetwork.restore(newest, checkpoints.zip(newest.step()));
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
}
