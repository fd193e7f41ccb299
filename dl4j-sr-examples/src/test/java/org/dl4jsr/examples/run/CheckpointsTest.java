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
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.io.BadInput;
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
    void networkAndStateComeBack() {
        TrainingState state = save(new Checkpoints(directory), 1);
        Checkpoints checkpoints = new Checkpoints(directory);
        assertEquals(Optional.of(state), checkpoints.newest());
        ComputationGraph restored = checkpoints.network(1);
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

    @Test
    void aTruncatedNetworkFallsBackToTheOneBefore() throws IOException {
        TrainingState one = saveTwo();
        Path zip = directory.resolve("checkpoint-00000002.zip");
        try (FileChannel channel = FileChannel.open(zip, StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(zip) - 1);
        }
        fallsBackTo(one);
    }

    @Test
    void aFlippedBitFallsBackToTheOneBefore() throws IOException {
        TrainingState one = saveTwo();
        Path zip = directory.resolve("checkpoint-00000002.zip");
        byte[] bytes = Files.readAllBytes(zip);
        bytes[bytes.length / 2] ^= 1;
        Files.write(zip, bytes);
        fallsBackTo(one);
    }

    @Test
    void aChangedOrCutOffStateFallsBackToTheOneBefore() throws IOException {
        TrainingState one = saveTwo();
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
        TrainingState one = saveTwo();
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
    private TrainingState saveTwo() {
        Checkpoints checkpoints = new Checkpoints(directory);
        TrainingState one = save(checkpoints, 1);
        save(checkpoints, 2);
        return one;
    }

    private void fallsBackTo(TrainingState state) {
        assertEquals(Optional.of(state), new Checkpoints(directory).newest());
    }

    private TrainingState save(Checkpoints checkpoints, int step) {
        network.fit(new DataSet(Nd4j.ones(2, 3), Nd4j.ones(2, 2).div(2)));
        TrainingState state = new TrainingState(step, 100L * step, 3, 1);
        checkpoints.save(network, state);
        return state;
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
