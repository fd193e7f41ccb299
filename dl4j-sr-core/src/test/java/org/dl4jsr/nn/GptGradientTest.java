package org.dl4jsr.nn;

import static org.dl4jsr.nn.TestNetworks.LABELS;
import static org.dl4jsr.nn.TestNetworks.TOKENS;
import static org.dl4jsr.nn.TestNetworks.data;
import static org.dl4jsr.nn.TestNetworks.gradient;
import static org.dl4jsr.nn.TestNetworks.ints;
import static org.dl4jsr.nn.TestNetworks.lively;
import static org.dl4jsr.nn.TestNetworks.network;
import static org.dl4jsr.nn.TestNetworks.tiny;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Loss, output and every element of the gradient against a reference in double and its central differences. */
@Tag("slow")
class GptGradientTest {

    /** FP32 kernels are off by 1e-6 or so; a wrong term of a backward pass by 1e-2 and more. */
    private static final double TOLERANCE = 2e-5;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyElement(boolean tied) {
        var configuration = tiny().tiedHead(tied).build();
        check(configuration, lively(configuration), data(), TOKENS, LABELS);
    }

    @Test
    void sequencesShorterThanTheContext() {
        var configuration = tiny().context(12).build();
        var net = lively(configuration);
        gradient(net, data());
        int[][] tokens = {{6, 2, 4}, {1, 1, 0}};
        int[][] labels = {{2, 4, 5}, {1, 0, 3}};
        check(configuration, net, new DataSet(ints(tokens), ints(labels)), tokens, labels);
    }

    @Test
    void ignoredAndMaskedLabels() {
        var configuration = tiny().build();
        int[][] counted = {{1, -1, 1, 5, 6}, {0, 6, -1, -1, 5}, {-1, -1, -1, -1, -1}};
        var negative = new DataSet(ints(TOKENS), ints(counted));
        check(configuration, lively(configuration), negative, TOKENS, counted);

        INDArray mask = Nd4j.createFromArray(new float[][] {{1, 0, 1, 1, 1}, {1, 1, 0, 0, 1}, {0, 0, 0, 0, 0}});
        var masked = new DataSet(ints(TOKENS), ints(LABELS), null, mask);
        check(configuration, lively(configuration), masked, TOKENS, counted);

        var padded = new DataSet(ints(TOKENS), ints(LABELS), mask, null);
        check(configuration, lively(configuration), padded, TOKENS, counted);
    }

    /** DL4J divides by the batch then, afterwards. */
    @Test
    void miniBatchMultipliesTheGradientByTheBatch() {
        var configuration = tiny().build();
        INDArray mean = gradient(lively(configuration), data());
        var graph = configuration.toGraph();
        graph.getDefaultConfiguration().setMiniBatch(true);
        for (var vertex : graph.getVertices().values()) {
            ((LayerVertex) vertex).getLayerConf().setMiniBatch(true);
        }
        var net = network(graph);
        net.setParams(lively(configuration).params());
        INDArray summed = gradient(net, data());
        assertEquals(
                0,
                Transforms.abs(summed.sub(mean.mul(TOKENS.length))).maxNumber().doubleValue(),
                1e-6);
        assertEquals(lively(configuration).score(data()), net.score(), 1e-6);
    }

    /**
     * BF16 keeps 8 bits. Over the few roundings of two layers the gradient of a parameter stays within 4 % of FLOAT's
     * on the same parameters, the loss within 0.5 %.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bfloat16IsFloatWithinItsPrecision(boolean tied) {
        var bfloat16 = lively(tiny().tiedHead(tied).dataType(DataType.BFLOAT16).build());
        var floats = network(tiny().tiedHead(tied).build());
        floats.setParams(bfloat16.params().castTo(DataType.FLOAT));
        gradient(bfloat16, data());
        gradient(floats, data());
        assertEquals(floats.score(), bfloat16.score(), 0.005 * floats.score());
        floats.gradient().gradientForVariable().forEach((name, expected) -> {
            INDArray actual = bfloat16.gradient().getGradientFor(name).castTo(DataType.FLOAT);
            assertEquals(
                    DataType.BFLOAT16, bfloat16.gradient().getGradientFor(name).dataType());
            double error = actual.distance2(expected) / expected.norm2Number().doubleValue();
            assertTrue(error < 0.04, name + " is off by " + error);
        });
        INDArray probabilities = bfloat16.output(ints(TOKENS))[0].castTo(DataType.FLOAT);
        assertEquals(
                0,
                probabilities.sub(floats.output(ints(TOKENS))[0]).amaxNumber().doubleValue(),
                0.02);
    }

    private static void check(
            GptConfiguration configuration, ComputationGraph net, DataSet data, int[][] tokens, int[][] labels) {
        double[] parameters = net.params().toDoubleVector();
        var reference = new GptReference(configuration, parameters);
        double[] gradient = gradient(net, data).toDoubleVector();

        assertEquals(reference.loss(tokens, labels), net.score(), 1e-6);
        assertEquals(reference.loss(tokens, labels), net.score(data), 1e-6);
        double[] output = net.output(data.getFeatures())[0].reshape(-1).toDoubleVector();
        double[] expected = Arrays.stream(reference.probabilities(tokens))
                .flatMap(Arrays::stream)
                .flatMapToDouble(Arrays::stream)
                .toArray();
        assertArrayEquals(expected, output, 1e-6);

        double h = 1e-5;
        for (int i = 0; i < parameters.length; i++) {
            double value = parameters[i];
            parameters[i] = value + h;
            double above = reference.loss(tokens, labels);
            parameters[i] = value - h;
            double below = reference.loss(tokens, labels);
            parameters[i] = value;
            assertEquals((above - below) / (2 * h), gradient[i], TOLERANCE, "element " + i + ", " + owner(net, i));
        }
        net.gradient().gradientForVariable().forEach((name, values) -> {
            double largest = Transforms.abs(values).maxNumber().doubleValue();
            assertTrue(largest > 100 * TOLERANCE, "the gradient of " + name + " is too small to tell: " + largest);
        });
    }

    private static String owner(ComputationGraph net, int element) {
        long end = 0;
        for (var entry : net.paramTable().entrySet()) {
            end += entry.getValue().length();
            if (element < end) {
                return entry.getKey();
            }
        }
        throw new IllegalArgumentException("element " + element);
    }
}
