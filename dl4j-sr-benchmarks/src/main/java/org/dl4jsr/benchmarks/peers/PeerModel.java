package org.dl4jsr.benchmarks.peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.weights.Gpt2Export;
import org.dl4jsr.weights.Gpt2Weights;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reads a GPT-2 that {@code transformers} wrote, and writes what it does and what it is:
 * {@code PeerModel FOLDER POLICY TYPE TOKENS COUNT TARGET}. TOKENS are ids with commas between them. TARGET gets
 * {@code logits}, FP32 [tokens, vocabulary] little-endian, {@code greedy}, COUNT ids with commas, and the folders
 * {@code safetensors} and {@code gguf} with weights of TYPE, FLOAT or BFLOAT16.
 */
public final class PeerModel {

    private PeerModel() {}

    public static void main(String[] arguments) throws IOException {
        Path target = Files.createDirectories(Path.of(arguments[5]));
        ComputationGraph graph = load(Path.of(arguments[0]), Bf16Policy.named(arguments[1]));
        int[] tokens =
                Stream.of(arguments[3].split(",")).mapToInt(Integer::parseInt).toArray();
        Files.write(target.resolve("logits"), bytes(logits(graph, tokens)));
        Files.writeString(target.resolve("greedy"), greedy(graph, tokens, Integer.parseInt(arguments[4])));
        Gpt2Export export = Gpt2Export.of(graph).dataType(DataType.valueOf(arguments[2]));
        export.toSafetensors(target.resolve("safetensors"));
        export.toGguf(target.resolve("gguf"));
    }

    private static ComputationGraph load(Path folder, Bf16Policy policy) throws IOException {
        try (Gpt2Weights weights = Gpt2Weights.open(folder)) {
            var shape = weights.configuration().updater(new SrAdam(1e-3)).build();
            var graph = new ComputationGraph(policy.apply(shape.toGraph()));
            graph.init();
            weights.copyTo(graph);
            var output =
                    (BaseLayer) graph.getLayer(GptConfiguration.OUTPUT).conf().getLayer();
            output.setActivationFn(new ActivationIdentity());
            return graph;
        }
    }

    /** Row-major [tokens, vocabulary]. */
    private static float[] logits(ComputationGraph graph, int[] tokens) {
        INDArray output = graph.outputSingle(Nd4j.createFromArray(new int[][] {tokens}));
        return output.dup('c').data().asFloat();
    }

    private static String greedy(ComputationGraph graph, int[] start, int count) {
        int[] tokens = start;
        for (int i = 0; i < count; i++) {
            float[] logits = logits(graph, tokens);
            int vocabulary = logits.length / tokens.length;
            int first = logits.length - vocabulary;
            int likeliest = first;
            for (int j = first; j < logits.length; j++) {
                likeliest = logits[j] > logits[likeliest] ? j : likeliest;
            }
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = likeliest - first;
        }
        return String.join(
                ",",
                Arrays.stream(tokens)
                        .skip(start.length)
                        .mapToObj(Integer::toString)
                        .toList());
    }

    private static byte[] bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }
}
