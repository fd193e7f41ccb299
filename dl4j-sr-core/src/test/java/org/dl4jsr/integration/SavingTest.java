package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.preprocessor.NormalizerStandardize;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

class SavingTest {

    private static MultiLayerNetwork network(Bf16Policy policy) {
        return TestNetworks.network(policy.apply(TestNetworks.mlpConfiguration(new Adam(5e-3), DataType.FLOAT)));
    }

    private static ComputationGraph graph(Bf16Policy policy) {
        var graph = new ComputationGraph(policy.apply(TestNetworks.graphConfiguration(new Adam(5e-3), DataType.FLOAT)));
        graph.init();
        return graph;
    }

    @ParameterizedTest
    @EnumSource(
            value = Bf16Policy.class,
            names = {"SR", "O2", "KAHAN"})
    void configurationsAsJsonAndYaml(Bf16Policy policy) {
        var network = network(policy).getLayerWiseConfigurations();
        var graph = graph(policy).getConfiguration();
        assertEquals(network, MultiLayerConfiguration.fromJson(network.toJson()));
        assertEquals(network, MultiLayerConfiguration.fromYaml(network.toYaml()));
        assertEquals(graph, ComputationGraphConfiguration.fromJson(graph.toJson()));
        assertEquals(graph, ComputationGraphConfiguration.fromYaml(graph.toYaml()));
        assertEquals(
                DataType.BFLOAT16,
                MultiLayerConfiguration.fromYaml(network.toYaml()).getDataType());
    }

    /** Written in two steps: DL4J 1.0.0-M2.1's writeModel with a normalizer fails, in FLOAT too. */
    @Test
    void filesWithNormalizer(@TempDir Path directory) throws IOException {
        var normalizer = new NormalizerStandardize();
        normalizer.fit(DATA);
        for (Model model : List.of(network(Bf16Policy.SR), graph(Bf16Policy.SR))) {
            fit(model, 2);
            var file =
                    directory.resolve(model.getClass().getSimpleName() + ".zip").toFile();
            ModelSerializer.writeModel(model, file, true);
            ModelSerializer.addNormalizerToModel(file, normalizer);
            Model restored = model instanceof MultiLayerNetwork
                    ? ModelSerializer.restoreMultiLayerNetwork(file)
                    : ModelSerializer.restoreComputationGraph(file);
            assertEquals(normalizer, ModelSerializer.restoreNormalizerFromFile(file));
            try (var stream = new FileInputStream(file)) {
                assertEquals(
                        normalizer,
                        model instanceof MultiLayerNetwork
                                ? ModelSerializer.restoreMultiLayerNetworkAndNormalizer(stream, true)
                                        .getSecond()
                                : ModelSerializer.restoreComputationGraphAndNormalizer(stream, true)
                                        .getSecond());
            }
            assertGoesOnAlike(model, restored);
        }
    }

    private static void assertGoesOnAlike(Model expected, Model actual) {
        fit(expected, 2);
        fit(actual, 2);
        assertArrayEquals(bits(expected.params()), bits(actual.params()));
    }

    @Test
    void javaSerialization() throws Exception {
        var network = network(Bf16Policy.SR);
        fit(network, 1);
        var bytes = new ByteArrayOutputStream();
        try (var out = new ObjectOutputStream(bytes)) {
            out.writeObject(network);
        }
        try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertArrayEquals(bits(network.params()), bits(((MultiLayerNetwork) in.readObject()).params()));
        }
    }

    @Test
    void arrays(@TempDir Path directory) throws IOException {
        INDArray array =
                Nd4j.linspace(DataType.FLOAT, -3, 0.01, 600).reshape(20, 30).castTo(DataType.BFLOAT16);
        INDArray view = array.transpose();
        for (INDArray saved : List.of(array, view)) {
            var file = directory.resolve("array.bin").toFile();
            Nd4j.saveBinary(saved, file);
            assertSameBits(saved, Nd4j.readBinary(file));
            var bytes = new ByteArrayOutputStream();
            Nd4j.write(saved, new DataOutputStream(bytes));
            assertSameBits(saved, Nd4j.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()))));
            assertSameBits(saved, Nd4j.fromByteArray(Nd4j.toByteArray(saved)));
        }
    }

    private static void assertSameBits(INDArray expected, INDArray actual) {
        assertEquals(DataType.BFLOAT16, actual.dataType());
        assertArrayEquals(expected.shape(), actual.shape());
        assertArrayEquals(bits(expected), bits(actual));
    }

    @Test
    void parametersComeAndGo() {
        var network = network(Bf16Policy.SR);
        var other = network(Bf16Policy.SR);
        fit(network, 3);
        INDArray copy = network.params().dup();
        assertEquals(DataType.BFLOAT16, copy.dataType());
        other.setParams(copy);
        assertArrayEquals(bits(network.params()), bits(other.params()));
        other.setParams(copy.castTo(DataType.FLOAT));
        assertEquals(DataType.BFLOAT16, other.params().dataType());
        assertArrayEquals(bits(network.params()), bits(other.params()));
        other.setParam("0_b", network.getParam("0_b").mul(2));
        assertArrayEquals(bits(network.getParam("0_b").mul(2)), bits(other.getParam("0_b")));

        var clone = network.clone();
        assertNotSame(network.params(), clone.params());
        assertEquals(network, clone);
        fit(clone, 1);
        assertArrayEquals(bits(copy), bits(network.params()), "a clone has parameters of its own");
    }

    @Test
    void iteratorsWithNormalizers() {
        var normalizer = new NormalizerStandardize();
        var data = new ListDataSetIterator<>(DATA.asList(), 32);
        normalizer.fit(data);
        data.setPreProcessor(normalizer);
        var wide = network(Bf16Policy.FP32);
        var narrow = network(Bf16Policy.SR);
        wide.fit(data, 10);
        narrow.fit(data, 10);
        assertTrue(wide.score() < 0.7, () -> "FLOAT ends at " + wide.score());
        assertEquals(wide.score(), narrow.score(), 0.02);
    }
}
