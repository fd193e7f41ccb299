package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.io.Sha256;
import org.dl4jsr.examples.report.Display;
import org.dl4jsr.parallel.Attempts;
import org.dl4jsr.parallel.Collective;
import org.dl4jsr.parallel.FileStorage;
import org.dl4jsr.parallel.LocalTransport;
import org.dl4jsr.parallel.Rank;
import org.dl4jsr.parallel.Transport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A run's ranks as threads. They end with the bits of {@code pretrain --accumulate} in one process. */
@Tag("slow")
@Timeout(120)
class RankTrainingTest {

    private static final int PASSES = 4;
    private static final int STEPS = 20;

    @TempDir
    private Path directory;

    private RunConfig config;

    @BeforeEach
    void writeText() throws IOException {
        Path text = directory.resolve("text");
        Files.writeString(text, TestRuns.text());
        config = TestRuns.tiny(text, 1).withBudget(new TrainingBudget(8L * 2 * PASSES * STEPS, 2, PASSES));
    }

    @Test
    void anyNumberOfRanksEndsLikeOneProcess() throws Exception {
        Path alone = directory.resolve("alone");
        assertEquals(0, Pretraining.start(alone, config, new RunFacilities(directory, null, null, null)));
        for (int ranks : new int[] {1, 2}) {
            Path run = directory.resolve("on" + ranks);
            RunDirectory.create(run, config).close();
            train(run, ranks, STEPS);
            assertEquals(end(alone), end(run), ranks + " ranks");
        }
    }

    /** They are told to stop in the midst of a run, and others go on with it, as many as there are then. */
    @Test
    void aStoppedRunGoesOnWithAnotherNumberOfRanks() throws Exception {
        Path whole = directory.resolve("whole");
        RunDirectory.create(whole, config).close();
        train(whole, 2, STEPS);
        Path stopped = directory.resolve("stopped");
        RunDirectory.create(stopped, config).close();
        List<String> notes = train(stopped, 2, 7);
        assertEquals(7, new Checkpoints(stopped).newest().orElseThrow().step());
        assertEquals(7, notes.stream().filter(note -> note.startsWith("step ")).count());
        assertEquals(RankNote.CHECKPOINT, notes.get(notes.size() - 1));
        train(stopped, 3, 13);
        RunFacilities here = new RunFacilities(directory, null, null, null);
        assertEquals(0, Pretraining.resume(stopped, run -> {}, null, here));
        assertEquals(end(whole), end(stopped));
    }

    @Test
    void whatARankSaysIsShown() {
        List<String> shown = new ArrayList<>();
        Display display = new Display() {
            @Override
            public void step(long step, double loss, double learningRate, long nanoseconds) {
                shown.add(step + " " + loss + " " + learningRate + " " + nanoseconds);
            }

            @Override
            public void line(String text) {
                shown.add(text);
            }
        };
        long[] times = RankNote.show(RankNote.step(3, Double.NaN, 1e-4, 500, 200), display);
        assertEquals(List.of(500L, 200L), List.of(times[0], times[1]));
        RankNote.show(RankNote.line("step 3  two words"), display);
        assertEquals(List.of("3 NaN 1.0E-4 500", "step 3  two words"), shown);
    }

    /** Up to step {@code last}; returns what the ranks have said. */
    private List<String> train(Path run, int ranks, int last) throws Exception {
        FileStorage storage = new FileStorage(run);
        int attempt = Attempts.next(storage);
        List<String> notes = Collections.synchronizedList(new ArrayList<>());
        RankTraining program = RankTraining.of(config, run, directory);
        List<Callable<Void>> work = new ArrayList<>();
        for (Transport transport : LocalTransport.of(ranks, Duration.ofMinutes(1))) {
            work.add(() -> {
                try (Collective collective = new Collective(transport, attempt)) {
                    program.run(new Rank(collective, storage, 1, attempt, note -> {
                        notes.add(note);
                        return note.startsWith("step " + last + " ");
                    }));
                }
                return null;
            });
        }
        ExecutorService pool = Executors.newFixedThreadPool(ranks);
        for (Future<Void> rank : pool.invokeAll(work)) {
            rank.get();
        }
        pool.shutdown();
        return notes;
    }

    /** SHA-256 of weights and updater state, and the metrics but for speed. */
    private static String end(Path run) throws IOException {
        Checkpoints checkpoints = new Checkpoints(run);
        Checkpoint newest = checkpoints.newest().orElseThrow();
        assertEquals(STEPS, newest.step());
        ComputationGraph network = GptNetwork.restore(newest, checkpoints.zip(STEPS));
        INDArray state = network.getUpdater().getStateViewArray();
        assertTrue(state.length() > 0);
        List<String> metrics = Files.readAllLines(run.resolve("metrics.csv")).stream()
                .map(line -> line.substring(0, line.lastIndexOf(',')))
                .toList();
        return sha256(network.params()) + " " + sha256(state) + "\n" + String.join("\n", metrics);
    }

    private static String sha256(INDArray array) throws IOException {
        Sha256 sha256 = new Sha256();
        sha256.update(array.castTo(DataType.FLOAT).toStringFull());
        return sha256.hex();
    }
}
