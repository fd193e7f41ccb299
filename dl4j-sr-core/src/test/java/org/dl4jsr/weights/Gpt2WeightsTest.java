package org.dl4jsr.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.updater.ExactState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class Gpt2WeightsTest {

    private static final String TABLE = "transformer.wte.weight";

    /** ln p of every token behind the last two of {@code tokens}, [2, vocabulary]. */
    private static float[] logProbabilities(ComputationGraph graph, float[] tokens) {
        INDArray output = graph.outputSingle(
                Nd4j.createFromArray(tokens).castTo(DataType.INT32).reshape(1, -1));
        long time = tokens.length;
        return Nd4j.math()
                .log(output.get(NDArrayIndex.point(0), NDArrayIndex.interval(time - 2, time), NDArrayIndex.all()))
                .dup()
                .data()
                .asFloat();
    }

    /** Both less their largest: ln p and logits differ by a constant a row. */
    private static double distance(float[] logProbabilities, float[] logits) {
        double largest = 0;
        int vocabulary = logits.length / 2;
        for (int row = 0; row < 2; row++) {
            double p = Double.NEGATIVE_INFINITY;
            double l = Double.NEGATIVE_INFINITY;
            for (int i = row * vocabulary; i < (row + 1) * vocabulary; i++) {
                p = Math.max(p, logProbabilities[i]);
                l = Math.max(l, logits[i]);
            }
            for (int i = row * vocabulary; i < (row + 1) * vocabulary; i++) {
                largest = Math.max(largest, Math.abs(logProbabilities[i] - p - (logits[i] - l)));
            }
        }
        return largest;
    }

    @Test
    void logitsAreThoseOfTransformers() throws IOException {
        Path file = Fixtures.F32.resolve("expected.safetensors");
        float[] tokens = Fixtures.values(file, "tokens");
        float[] logits = Fixtures.values(file, "logits");
        assertEquals(0, distance(logProbabilities(Fixtures.load(Fixtures.F32, Bf16Policy.FP32), tokens), logits), 1e-4);
        // activations of some 1 to 3 that are rounded to BF16 some ten times a block
        assertEquals(0, distance(logProbabilities(Fixtures.load(Fixtures.F32, Bf16Policy.SR), tokens), logits), 0.1);
    }

    @Test
    void greedyContinuationIsThatOfTransformers() throws IOException {
        Path file = Fixtures.F32.resolve("expected.safetensors");
        ComputationGraph graph = Fixtures.load(Fixtures.F32, Bf16Policy.FP32);
        float[] tokens = Fixtures.values(file, "tokens");
        float[] greedy = Fixtures.values(file, "greedy");
        assertTrue(Arrays.stream(toInts(greedy)).distinct().count() > 3);
        for (float expected : greedy) {
            float[] next = logProbabilities(graph, tokens);
            int likeliest = next.length / 2;
            for (int i = likeliest; i < next.length; i++) {
                likeliest = next[i] > next[likeliest] ? i : likeliest;
            }
            assertEquals(expected, likeliest - next.length / 2);
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = expected;
        }
    }

    private static int[] toInts(float[] values) {
        int[] ints = new int[values.length];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = (int) values[i];
        }
        return ints;
    }

    /** Several files, without the prefix "transformer." nor a tied head. */
    @Test
    void shardsAndAHeadOfItsOwn() throws IOException {
        float[] tokens = Fixtures.values(Fixtures.F32.resolve("expected.safetensors"), "tokens");
        float[] logits = Fixtures.values(Fixtures.SHARDS.resolve("expected.safetensors"), "logits");
        ComputationGraph graph = Fixtures.load(Fixtures.SHARDS, Bf16Policy.FP32);
        assertEquals(0, distance(logProbabilities(graph, tokens), logits), 1e-4);
    }

    /** The table is the network's first parameter; negative zeros and subnormals are in it. */
    @Test
    void bf16WeightsAreTakenBitForBit() throws IOException {
        float[] table = Fixtures.values(Fixtures.BF16.resolve("model.safetensors"), TABLE);
        for (Bf16Policy policy : Bf16Policy.values()) {
            assertArrayEquals(bits(table), bits(parameters(Fixtures.load(Fixtures.BF16, policy), table.length)));
        }
    }

    private static float[] parameters(ComputationGraph graph, int length) {
        return graph.params()
                .reshape(graph.params().length())
                .get(NDArrayIndex.interval(0, length))
                .castTo(DataType.FLOAT)
                .dup()
                .data()
                .asFloat();
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    @ParameterizedTest
    @EnumSource(Bf16Policy.class)
    void fp32WeightsKeepTheirLowBitsWhereThePolicyHasAPlace(Bf16Policy policy) throws IOException {
        float[] table = Fixtures.values(Fixtures.F32.resolve("model.safetensors"), TABLE);
        ComputationGraph graph = Fixtures.load(Fixtures.F32, policy);
        float[] weights = parameters(graph, table.length);
        float[] exact = ExactState.weights(graph)
                .reshape(graph.params().length())
                .get(NDArrayIndex.interval(0, table.length))
                .dup()
                .data()
                .asFloat();
        for (int i = 0; i < table.length; i++) {
            float nearest = BFloat16.toFloat(BFloat16.fromFloat(table[i]));
            assertEquals(policy.dataType() == DataType.FLOAT ? table[i] : nearest, weights[i]);
            switch (policy) {
                case FP32, O1, O2 -> assertEquals(table[i], exact[i]);
                case KAHAN -> assertEquals(table[i], exact[i], Math.abs(table[i]) / (1 << 16) + 1e-38);
                case NEAREST, SR -> assertEquals(nearest, exact[i]);
            }
        }
    }

    /** Every byte once, in order: what a hash of the files needs. */
    @ParameterizedTest
    @ValueSource(strings = {"f32", "shards"})
    void theFilesAreReadOnce(String fixture) throws IOException {
        Path folder = fixture.equals("f32") ? Fixtures.F32 : Fixtures.SHARDS;
        var expected = new ByteArrayOutputStream();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(file -> file.toString().matches(".*model[^/]*\\.safetensors"))
                    .sorted()
                    .toList()) {
                expected.writeBytes(Files.readAllBytes(file));
            }
        }
        var seen = new ByteArrayOutputStream();
        try (Gpt2Weights weights = Gpt2Weights.open(folder)) {
            weights.copyTo(Fixtures.graph(weights.configuration(), Bf16Policy.SR), bytes -> {
                var piece = new byte[bytes.remaining()];
                bytes.get(piece);
                seen.writeBytes(piece);
            });
        }
        assertArrayEquals(expected.toByteArray(), seen.toByteArray());
    }

    @Test
    void aShorterContextTakesTheFirstPositions() throws IOException {
        try (Gpt2Weights weights = Gpt2Weights.open(Fixtures.F32)) {
            ComputationGraph graph = Fixtures.graph(weights.configuration().context(4), Bf16Policy.FP32);
            weights.copyTo(graph);
            float[] positions = Fixtures.values(Fixtures.F32.resolve("model.safetensors"), "transformer.wpe.weight");
            INDArray copied = graph.getLayer("embedding").getParam("positions");
            assertArrayEquals(
                    Arrays.copyOf(positions, 4 * 8), copied.dup().data().asFloat());
        }
    }

    @Test
    void anotherShapeIsRefusedAndNothingChanged() throws IOException {
        try (Gpt2Weights weights = Gpt2Weights.open(Fixtures.F32)) {
            for (var other : new GptConfiguration.Builder[] {
                weights.configuration().vocabulary(320),
                weights.configuration().context(17),
                weights.configuration().layers(1),
                weights.configuration().heads(4),
            }) {
                ComputationGraph graph = Fixtures.graph(other, Bf16Policy.SR);
                INDArray before = graph.params().dup();
                var e = assertThrows(IllegalArgumentException.class, () -> weights.copyTo(graph));
                assertTrue(e.getMessage().contains("only the context may differ"), e.getMessage());
                assertEquals(before, graph.params());
            }
        }
    }

    /** Tied to a matrix that the model does not have alone. */
    @Test
    void aTiedGraphDoesNotTakeTwoMatrices() throws IOException {
        try (Gpt2Weights weights = Gpt2Weights.open(Fixtures.SHARDS)) {
            ComputationGraph graph = Fixtures.graph(weights.configuration().tiedHead(true), Bf16Policy.SR);
            assertThrows(IllegalArgumentException.class, () -> weights.copyTo(graph));
        }
    }
}
