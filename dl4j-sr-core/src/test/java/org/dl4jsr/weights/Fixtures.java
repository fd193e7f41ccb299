package org.dl4jsr.weights;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.SrAdam;

/** What {@code fixtures.py} has made. */
final class Fixtures {

    static final Path FOLDER = Path.of("src/test/resources/org/dl4jsr/weights");
    static final Path F32 = FOLDER.resolve("f32");
    static final Path BF16 = FOLDER.resolve("bf16");
    static final Path SHARDS = FOLDER.resolve("shards");

    private Fixtures() {}

    /** The tokenizer of the fixtures: the bytes in GPT-2's order, which differs from theirs, and three merges. */
    static BytePairVocabulary tokenizer() {
        var seen = new ArrayList<byte[]>();
        var unseen = new ArrayList<byte[]>();
        for (int i = 0; i < 256; i++) {
            boolean isSeen = i > 32 && i < 127 || i > 160 && i != 173;
            (isSeen ? seen : unseen).add(new byte[] {(byte) i});
        }
        // GPT-2's ids are in the order of the characters that stand for the bytes
        seen.addAll(unseen);
        for (String token : List.of("th", "the", " the")) {
            seen.add(token.getBytes(StandardCharsets.US_ASCII));
        }
        return BytePairVocabulary.of(seen, "<|endoftext|>");
    }

    static ComputationGraph graph(GptConfiguration.Builder shape, Bf16Policy policy) {
        var graph = new ComputationGraph(
                policy.apply(shape.updater(new SrAdam(1e-3)).seed(7).build().toGraph()));
        graph.init();
        return graph;
    }

    /** The model in {@code folder} as a network of {@code policy}. */
    static ComputationGraph load(Path folder, Bf16Policy policy) throws IOException {
        try (Gpt2Weights weights = Gpt2Weights.open(folder)) {
            ComputationGraph graph = graph(weights.configuration(), policy);
            weights.copyTo(graph);
            return graph;
        }
    }

    /** All elements of a tensor. */
    static float[] values(Path file, String name) throws IOException {
        try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            var tensor = tensors.all().get(name);
            var values = new float[(int) tensor.length()];
            tensors.read(
                    bytes -> {},
                    tensor::equals,
                    (read, first, piece) -> System.arraycopy(piece, 0, values, (int) first, piece.length));
            return values;
        }
    }
}
