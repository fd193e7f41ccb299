package org.dl4jsr.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.nn.GptEmbedding;
import org.dl4jsr.nn.GptOutput;
import org.dl4jsr.nn.TransformerBlock;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;

class Gpt2ExportTest {

    @TempDir
    private Path directory;

    private static void assertSameTensors(Path expected, Path file) throws IOException {
        try (SafetensorsFile wanted = SafetensorsFile.open(expected);
                SafetensorsFile found = SafetensorsFile.open(file)) {
            assertEquals(wanted.all().keySet(), found.all().keySet());
            for (String name : wanted.all().keySet()) {
                assertEquals(
                        wanted.all().get(name).type(), found.all().get(name).type());
                assertArrayEquals(
                        wanted.all().get(name).shape(), found.all().get(name).shape());
                assertArrayEquals(Fixtures.values(expected, name), Fixtures.values(file, name), 0, name);
            }
        }
    }

    @Test
    void whatTransformersHasWrittenComesBack() throws IOException {
        Path target = directory.resolve("f32");
        Gpt2Export.of(Fixtures.load(Fixtures.F32, Bf16Policy.FP32)).toSafetensors(target);
        assertSameTensors(Fixtures.F32.resolve("model.safetensors"), target.resolve("model.safetensors"));
        assertEquals(
                Gpt2Config.read(Fixtures.F32.resolve("config.json")), Gpt2Config.read(target.resolve("config.json")));

        Path half = directory.resolve("bf16");
        Gpt2Export.of(Fixtures.load(Fixtures.BF16, Bf16Policy.SR)).toSafetensors(half);
        assertSameTensors(Fixtures.BF16.resolve("model.safetensors"), half.resolve("model.safetensors"));
    }

    @Test
    void masterWeightsAreWrittenAsFloat() throws IOException {
        Path target = directory.resolve("masters");
        Gpt2Export.of(Fixtures.load(Fixtures.F32, Bf16Policy.O2))
                .dataType(DataType.FLOAT)
                .toSafetensors(target);
        assertSameTensors(Fixtures.F32.resolve("model.safetensors"), target.resolve("model.safetensors"));
        Path rounded = directory.resolve("rounded");
        Gpt2Export.of(Fixtures.load(Fixtures.F32, Bf16Policy.FP32))
                .dataType(DataType.BFLOAT16)
                .toSafetensors(rounded);
        assertSameTensors(Fixtures.BF16.resolve("model.safetensors"), rounded.resolve("model.safetensors"));
    }

    /** Byte for byte what Python's gguf writes. */
    @Test
    void gguf() throws IOException {
        Gpt2Export.of(Fixtures.load(Fixtures.BF16, Bf16Policy.SR))
                .tokenizer(Fixtures.tokenizer())
                .toGguf(directory.resolve("gguf"));
        assertArrayEquals(
                Files.readAllBytes(Fixtures.BF16.resolve("model.gguf")),
                Files.readAllBytes(directory.resolve("gguf/model.gguf")));
    }

    @Test
    void tokenizer() throws IOException {
        BytePairVocabulary tokenizer = Fixtures.tokenizer();
        assertTrue(BytePairVocabulary.isIn(Fixtures.F32));
        assertFalse(BytePairVocabulary.isIn(Fixtures.BF16));
        assertTrue(tokenizer.isTokenizerOf(Fixtures.F32));
        assertFalse(BytePairVocabulary.bytes(0).isTokenizerOf(Fixtures.F32));
        assertEquals(
                Files.readString(Fixtures.F32.resolve("merges.txt")),
                tokenizer.files(16).get("merges.txt"));

        Path target = directory.resolve("bytes");
        ComputationGraph graph = Fixtures.graph(
                GptConfiguration.builder()
                        .layers(1)
                        .width(8)
                        .heads(2)
                        .context(8)
                        .vocabulary(320),
                Bf16Policy.SR);
        Gpt2Export.of(graph)
                .tokenizer(BytePairVocabulary.bytes(0))
                .card("# A card\n")
                .toSafetensors(target);
        assertTrue(BytePairVocabulary.bytes(0).isTokenizerOf(target));
        assertEquals(256, Gpt2Config.read(target.resolve("config.json")).vocabulary());
        assertEquals("# A card\n", Files.readString(target.resolve("README.md")));
        Gpt2Weights.open(target).close();
    }

    /** Vertices with names of the user's own, logits as output, a frozen block. */
    @Test
    void aUsersOwnGraph() throws IOException {
        var global = new NeuralNetConfiguration.Builder().seed(3);
        var conf = global.graphBuilder()
                .addInputs("ids")
                .setInputTypes(InputType.feedForward(16))
                .addLayer(
                        "a",
                        new GptEmbedding.Builder()
                                .nIn(260)
                                .nOut(8)
                                .contextLength(16)
                                .build(),
                        "ids")
                .addLayer("b", new TransformerBlock.Builder().nOut(8).heads(2).build(), "a")
                .addLayer("c", new TransformerBlock.Builder().nOut(8).heads(2).build(), "b")
                .addLayer(
                        "d",
                        new GptOutput.Builder()
                                .nIn(8)
                                .nOut(260)
                                .activation(Activation.IDENTITY)
                                .build(),
                        "c")
                .setOutputs("d")
                .build();
        var graph = new ComputationGraph(conf);
        graph.init();
        try (Gpt2Weights weights = Gpt2Weights.open(Fixtures.SHARDS)) {
            weights.copyTo(graph);
        }
        var frozen = new TransferLearning.GraphBuilder(graph)
                .setFeatureExtractor("b")
                .build();
        Gpt2Export.of(frozen).toSafetensors(directory.resolve("own"));
        Gpt2Export.of(Fixtures.load(Fixtures.SHARDS, Bf16Policy.FP32)).toSafetensors(directory.resolve("gpt"));
        assertSameTensors(directory.resolve("gpt/model.safetensors"), directory.resolve("own/model.safetensors"));
    }

    @Test
    void otherGraphsAreRefused() {
        var graph = new ComputationGraph(new NeuralNetConfiguration.Builder()
                .graphBuilder()
                .addInputs("ids")
                .setInputTypes(InputType.feedForward(16))
                .addLayer(
                        "a",
                        new GptEmbedding.Builder()
                                .nIn(260)
                                .nOut(8)
                                .contextLength(16)
                                .build(),
                        "ids")
                .addLayer("b", new GptOutput.Builder().nIn(8).nOut(260).build(), "a")
                .setOutputs("b")
                .build());
        assertRefused(graph, "The graph has no parameters: init() it first");
        graph.init();
        assertRefused(graph, "Vertex \"b\" is a GptOutput: expected a GptEmbedding, TransformerBlocks");
    }

    private static void assertRefused(ComputationGraph graph, String message) {
        var e = assertThrows(IllegalArgumentException.class, () -> Gpt2Export.of(graph));
        assertTrue(e.getMessage().startsWith(message), e.getMessage());
    }

    @Test
    void aFolderThatIsThereStays() throws IOException {
        Gpt2Export export = Gpt2Export.of(Fixtures.load(Fixtures.F32, Bf16Policy.FP32));
        Path full = Files.createDirectory(directory.resolve("full"));
        Files.writeString(full.resolve("mine"), "mine");
        var e = assertThrows(IOException.class, () -> export.toSafetensors(full));
        assertEquals(full + " is there already and not empty: choose another name", e.getMessage());
        assertThrows(IOException.class, () -> export.toGguf(full.resolve("mine")));
        assertEquals(List.of(full), entries(directory));
        assertEquals(List.of(full.resolve("mine")), entries(full));

        // what a crash left, and an empty folder
        Files.createDirectories(directory.resolve("new.tmp/old"));
        Files.createDirectory(directory.resolve("new"));
        export.toGguf(directory.resolve("new"));
        assertEquals(List.of(full, directory.resolve("new")), entries(directory));
    }

    private static List<Path> entries(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().toList();
        }
    }
}
