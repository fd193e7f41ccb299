package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.command.App;
import org.dl4jsr.examples.data.Tokenizer;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.run.GptNetwork;
import org.dl4jsr.examples.run.PublishedModel;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.StartingWeights;
import org.dl4jsr.examples.run.TestRuns;
import org.dl4jsr.examples.run.TrainedModel;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.weights.Gpt2Export;
import org.dl4jsr.weights.Gpt2Weights;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** From a published model's folder to a trained run and back to a folder. */
class FinetuneTest {

    private static final int CONTEXT = 32;

    @TempDir
    private Path directory;

    private Path model;
    private Path text;

    @BeforeEach
    void writeModel() throws IOException {
        model = publish("model", 5, 16);
        text = Files.writeString(directory.resolve("text"), TestRuns.text());
    }

    private Path publish(String name, long seed, int width) throws IOException {
        ComputationGraph graph = new ComputationGraph(GptConfiguration.builder()
                .layers(1)
                .width(width)
                .heads(2)
                .context(CONTEXT)
                .vocabulary(256)
                .seed(seed)
                .build()
                .toGraph());
        graph.init();
        Path folder = directory.resolve(name);
        Gpt2Export.of(graph).tokenizer(Tokenizer.named("bytes").pairs()).toSafetensors(folder);
        return folder;
    }

    private String[] finetune(String... more) {
        return Stream.concat(
                        Stream.of(
                                "finetune",
                                "--from",
                                model.toString(),
                                "--text",
                                text.toString(),
                                "--out",
                                directory.resolve("run").toString()),
                        Stream.of(more))
                .toArray(String[]::new);
    }

    @Test
    void aRunBeginsWithThePublishedWeightsAndIsExportedAgain() throws IOException {
        text = Files.createDirectory(directory.resolve("texts"));
        Files.writeString(text.resolve("train.txt"), TestRuns.text());
        Files.writeString(text.resolve("val.txt"), TestRuns.text().substring(0, 99));
        assertEquals(0, App.run(finetune("--policy", "bf16-o2", "--tokens", "128", "--batch", "2", "--context", "16")));
        TrainedModel trained = TrainedModel.at(directory.resolve("run"));
        assertEquals(model.toString(), trained.config().weights().path());
        assertEquals(16, trained.config().model().context());
        assertEquals(256, trained.config().model().vocabulary());
        assertEquals("bytes", trained.config().text().tokenizer());

        Path exported = directory.resolve("exported");
        assertEquals(
                0,
                App.run(
                        "export",
                        "--model",
                        directory.resolve("run").toString(),
                        "--dtype",
                        "f32",
                        "--to",
                        exported.toString()));
        String card = Files.readString(exported.resolve("README.md"));
        for (String said : List.of(
                "| Policy | bf16-o2: weights and gradients in BF16; master weights",
                "| Began with | model (SHA-256 of the weights ",
                "| Trained on | 128 of 128 tokens, 4 steps of 32 |",
                "| Text | texts (SHA-256 ",
                Texts.format(
                        "): %,d tokens for training, 100 kept for validation |",
                        TestRuns.text().length() + 1),
                "| Seed | 1 |",
                "| Exported by | dl4j-sr ")) {
            assertTrue(card.contains(said), said + " is not in " + card);
        }
        // small steps of four: the weights are those of the published model, but not quite
        INDArray before = floats(model);
        INDArray after = floats(exported);
        double moved = before.sub(after).norm2Number().doubleValue();
        assertTrue(moved > 0 && moved < 0.01 * before.norm2Number().doubleValue(), "moved " + moved);
    }

    /** The token table and what else has the same place in both. */
    private static INDArray floats(Path folder) throws IOException {
        try (Gpt2Weights weights = Gpt2Weights.open(folder)) {
            ComputationGraph graph = new ComputationGraph(
                    weights.configuration().context(16).build().toGraph());
            graph.init();
            weights.copyTo(graph);
            assertEquals(DataType.FLOAT, graph.params().dataType());
            return graph.params();
        }
    }

    /** Killed before its first checkpoint. */
    @Test
    void aRunThatIsResumedBeforeItsFirstCheckpointHasTheSameWeights() throws IOException {
        RunConfig unread = PublishedModel.config(model, null).withPolicy("fp32");
        ComputationGraph network = GptNetwork.create(unread);
        StartingWeights read = unread.weights().copyTo(network);
        try (Gpt2Weights weights = Gpt2Weights.open(model)) {
            ComputationGraph published =
                    new ComputationGraph(weights.configuration().build().toGraph());
            published.init();
            weights.copyTo(published);
            assertEquals(published.params(), network.params());
        }
        assertEquals(read, read.copyTo(network));
        Path other = publish("other", 6, 16);
        Files.delete(model.resolve("model.safetensors"));
        assertThrows(BadInput.class, () -> read.copyTo(network));
        Files.copy(other.resolve("model.safetensors"), model.resolve("model.safetensors"));
        assertNotThose(read, network);
        publish("wider", 6, 32);
        for (String file : List.of("model.safetensors", "config.json")) {
            Files.copy(
                    directory.resolve("wider").resolve(file), model.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
        assertNotThose(read, network);
    }

    private static void assertNotThose(StartingWeights weights, ComputationGraph network) {
        var e = assertThrows(BadInput.class, () -> weights.copyTo(network));
        assertTrue(e.getMessage().contains("are not those that the run began with"), e.getMessage());
    }

    @Test
    void whatDoesNotFitIsOneLineAndLeavesNothing() throws IOException {
        assertBad("--ui 70000 is out of range", finetune("--ui", "70000"));
        assertBad("--preset nano does not go with --from", finetune("--preset", "nano"));
        assertBad("--context 64 is more than the 32 positions that the model in", finetune("--context", "64"));
        assertBad("--tokenizer gpt2 does not fit the model in", finetune("--tokenizer", "gpt2"));
        Path tokenizer = model.resolve("tokenizer.json");
        String json = Files.readString(tokenizer);
        Files.writeString(tokenizer, json.replace("\"A\" : 65", "\"A\" : 66").replace("\"B\" : 66", "\"B\" : 65"));
        assertBad("The tokenizer in " + model + " is none of bytes, gpt2", finetune());
        Files.delete(tokenizer);
        assertBad(model + " has no tokenizer files (vocab.json or tokenizer.json): say by --tokenizer", finetune());
        assertBad(
                "The model in " + model + " has 256 tokens, and the tokenizer gpt2 50257",
                finetune("--tokenizer", "gpt2"));
        Path weights = model.resolve("model.safetensors");
        byte[] noNumber = Files.readAllBytes(weights);
        Arrays.fill(noNumber, noNumber.length - 4, noNumber.length, (byte) -1);
        Files.write(weights, noNumber);
        Files.writeString(tokenizer, json);
        assertBad("Cannot read the weights that the run begins with: Tensor \"", finetune());
        Files.delete(tokenizer);
        byte[] whole = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(whole, whole.length - 1));
        assertBad(weights + " has ", finetune());
        Files.delete(weights);
        assertBad(model + " has no model.safetensors", finetune());
        assertBad("/no/such is no folder", "finetune", "--from", "/no/such", "--text", text.toString());
        assertFalse(Files.exists(directory.resolve("run")));
    }

    private static void assertBad(String message, String... arguments) {
        try (CapturedError error = new CapturedError()) {
            int exitCode = App.run(arguments);
            List<String> lines = error.text().lines().toList();
            assertEquals(1, lines.size(), lines.toString());
            assertTrue(lines.get(0).startsWith("Error: " + message), lines.get(0));
            assertEquals(App.BAD_INPUT, exitCode);
        }
    }
}
