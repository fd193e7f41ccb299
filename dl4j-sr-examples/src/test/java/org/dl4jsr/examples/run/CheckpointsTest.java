package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.report.MetricsRow;
import org.dl4jsr.parallel.ModelFile;
import org.dl4jsr.policy.SafeRestore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

class CheckpointsTest {

    @TempDir
    private Path directory;

    private final ComputationGraph network = network();

    @Test
    void thereIsNoneAtFirst() {
        assertEquals(Optional.empty(), new Checkpoints(directory).newest());
    }

    @Test
    void networkAndStateComeBack() throws IOException {
        Checkpoint checkpoint = save(new Checkpoints(directory), 1);
        Checkpoints checkpoints = new Checkpoints(directory);
        assertEquals(Optional.of(checkpoint), checkpoints.newest());
        ComputationGraph restored = SafeRestore.computationGraph(checkpoints.zip(1), true);
        assertEquals(network.params(), restored.params());
        assertEquals(
                network.getUpdater().getStateViewArray(), restored.getUpdater().getStateViewArray());
        assertEquals(1, restored.getIterationCount());
    }

    @Test
    void theLastTwoAreKept() throws IOException {
        Checkpoints checkpoints = new Checkpoints(directory);
        for (int step = 1; step <= 4; step++) {
            save(checkpoints, step);
        }
        Files.writeString(directory.resolve("checkpoint-00000002.zip.tmp"), "of a crash");
        save(checkpoints, 5);
        assertEquals(
                List.of(
                        "checkpoint-00000004.json",
                        "checkpoint-00000004.zip",
                        "checkpoint-00000005.json",
                        "checkpoint-00000005.zip"),
                files());
    }

    /** Killed after a checkpoint was written and before the old one was removed, of a run that then had ended. */
    @Test
    void whatACrashHasLeftIsRemoved() throws IOException {
        Checkpoints checkpoints = new Checkpoints(directory);
        save(checkpoints, 1);
        byte[] old = Files.readAllBytes(directory.resolve("checkpoint-00000001.zip"));
        save(checkpoints, 2);
        save(checkpoints, 3);
        Files.write(directory.resolve("checkpoint-00000001.zip"), old);
        Files.writeString(directory.resolve("checkpoint-00000003.json.tmp"), "");
        Checkpoints later = new Checkpoints(directory);
        later.goOnFrom(later.newest().orElseThrow());
        assertEquals(
                List.of(
                        "checkpoint-00000002.json",
                        "checkpoint-00000002.zip",
                        "checkpoint-00000003.json",
                        "checkpoint-00000003.zip"),
                files());
    }

    @Test
    void theBestIsKeptBesideTheLastTwo() throws IOException {
        Checkpoints checkpoints = new Checkpoints(directory);
        save(checkpoints, 1, 5);
        save(checkpoints, 2, 3);
        save(checkpoints, 3, 4);
        save(checkpoints, 4, 6);
        save(checkpoints, 5, Double.NaN);
        assertEquals(List.of(2L, 4L, 5L), kept());
        assertEquals(2, checkpoints.best().orElseThrow().step());

        // and after a restart
        Checkpoints later = new Checkpoints(directory);
        later.goOnFrom(later.newest().orElseThrow());
        save(later, 6, 7);
        save(later, 7, 8);
        assertEquals(List.of(2L, 6L, 7L), kept());
        save(later, 8, 2);
        save(later, 9, 9);
        assertEquals(List.of(8L, 9L), kept());
    }

    private List<Long> kept() throws IOException {
        return files().stream()
                .filter(name -> name.endsWith(".json"))
                .map(name -> Long.parseLong(name.replaceAll("\\D", "")))
                .toList();
    }

    @Test
    void aCheckpointIsFoundByItsFile() throws IOException {
        Checkpoint one = saveTwo();
        assertEquals(one, Checkpoints.of(directory.resolve("checkpoint-00000001.zip")));
        BadInput other = assertThrows(BadInput.class, () -> Checkpoints.of(directory.resolve("config.json")));
        assertTrue(other.getMessage().contains("is no checkpoint"), other.getMessage());
        Files.delete(directory.resolve("checkpoint-00000001.json"));
        BadInput damaged =
                assertThrows(BadInput.class, () -> Checkpoints.of(directory.resolve("checkpoint-00000001.zip")));
        assertTrue(damaged.getMessage().contains("it has no checkpoint-00000001.json"), damaged.getMessage());
    }

    /** The names have the digits of English, whatever the machine's language. */
    @Test
    void namesDoNotDependOnTheLanguage() throws IOException {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try {
            assertEquals("٨", String.format("%d", 8));
            Checkpoint one = save(new Checkpoints(directory), 8);
            assertTrue(Files.exists(directory.resolve("checkpoint-00000008.zip")));
            assertEquals(Optional.of(one), new Checkpoints(directory).newest());
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void aTruncatedNetworkFallsBackToTheOneBefore() throws IOException {
        Checkpoint one = saveTwo();
        Path zip = directory.resolve("checkpoint-00000002.zip");
        try (FileChannel channel = FileChannel.open(zip, StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(zip) - 1);
        }
        fallsBackTo(one);
    }

    @Test
    void aFlippedBitFallsBackToTheOneBefore() throws IOException {
        Checkpoint one = saveTwo();
        Path zip = directory.resolve("checkpoint-00000002.zip");
        byte[] bytes = Files.readAllBytes(zip);
        bytes[bytes.length / 2] ^= 1;
        Files.write(zip, bytes);
        fallsBackTo(one);
    }

    @Test
    void aChangedOrCutOffStateFallsBackToTheOneBefore() throws IOException {
        Checkpoint one = saveTwo();
        Path json = directory.resolve("checkpoint-00000002.json");
        String text = Files.readString(json);
        Files.writeString(json, text.replace("\"tokens\" : 200", "\"tokens\" : 300"));
        fallsBackTo(one);
        Files.writeString(json, text.substring(0, text.length() / 2));
        fallsBackTo(one);
        Files.writeString(json, "null");
        fallsBackTo(one);
        Files.writeString(json, text);
        Files.delete(directory.resolve("checkpoint-00000002.zip"));
        fallsBackTo(one);
    }

    @Test
    void withoutItsStateANetworkIsNoCheckpoint() throws IOException {
        Checkpoint one = saveTwo();
        Files.delete(directory.resolve("checkpoint-00000002.json"));
        fallsBackTo(one);
    }

    @Test
    void allDamagedIsBadInput() throws IOException {
        saveTwo();
        Files.writeString(directory.resolve("checkpoint-00000001.zip"), "");
        Files.writeString(directory.resolve("checkpoint-00000002.zip"), "");
        BadInput e = assertThrows(BadInput.class, () -> new Checkpoints(directory).newest());
        assertTrue(e.getMessage().startsWith("All checkpoints in " + directory + " are damaged"), e.getMessage());
    }

    /** Writes checkpoints 1 and 2 and returns the state of the first. */
    private Checkpoint saveTwo() {
        Checkpoints checkpoints = new Checkpoints(directory);
        Checkpoint one = save(checkpoints, 1);
        save(checkpoints, 2);
        return one;
    }

    private void fallsBackTo(Checkpoint checkpoint) {
        assertEquals(Optional.of(checkpoint), new Checkpoints(directory).newest());
    }

    private Checkpoint save(Checkpoints checkpoints, int step) {
        return save(checkpoints, step, Double.NaN);
    }

    private Checkpoint save(Checkpoints checkpoints, int step, double valLoss) {
        network.fit(new DataSet(Nd4j.ones(2, 3), Nd4j.ones(2, 2).div(2)));
        TrainingState state =
                new TrainingState(step, 100L * step, 3, 1, new TrainingState.RowSoFar(step, Double.NaN, 0, 1.0 / 3));
        String row = new MetricsRow(step, 100L * step, 1, valLoss, 1, 1, 1, 1, 1, 0, 1).toCsv();
        Checkpoint checkpoint = new Checkpoint(state, Preset.NANO.config(), row, "");
        checkpoints.save(out -> ModelFile.write(network, out), checkpoint);
        return checkpoint;
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static ComputationGraph network() {
        ComputationGraph network = new ComputationGraph(new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(0.1))
                .graphBuilder()
                .addInputs("in")
                .addLayer("out", new OutputLayer.Builder().nIn(3).nOut(2).build(), "in")
                .setOutputs("out")
                .build());
        network.init();
        return network;
    }
}
