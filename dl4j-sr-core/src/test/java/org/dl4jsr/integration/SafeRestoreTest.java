package org.dl4jsr.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.policy.SafeRestore;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

class SafeRestoreTest {

    /** What the policy puts in place of DL4J's DenseLayer. */
    private static final String LAYER = "org.dl4jsr.layer.KernelDense";

    private static boolean ranCode;

    @TempDir
    private Path directory;

    private Path file;
    private MultiLayerNetwork network;

    @BeforeEach
    void write() throws IOException {
        file = directory.resolve("model.zip");
        network = network(Bf16Policy.SR);
        ModelSerializer.writeModel(network, file.toFile(), true);
        ranCode = false;
    }

    @ParameterizedTest
    @EnumSource(Bf16Policy.class)
    void networksComeBackAndTrainOnAsIfNeverSaved(Bf16Policy policy) throws IOException {
        MultiLayerNetwork original = network(policy);
        ModelSerializer.writeModel(original, file.toFile(), true);
        MultiLayerNetwork restored = SafeRestore.multiLayerNetwork(file, true);
        assertEquals(original.getLayerWiseConfigurations(), restored.getLayerWiseConfigurations());
        original.fit(TestNetworks.DATA);
        restored.fit(TestNetworks.DATA);
        assertEquals(original.params(), restored.params());
        assertEquals(
                bits(original.getUpdater().getStateViewArray()),
                bits(restored.getUpdater().getStateViewArray()));
    }

    @Test
    void aStateOfSeveralPiecesComesBack() throws IOException {
        MultiLayerNetwork original = network(Bf16Policy.SR, 40_000);
        INDArray state = original.getUpdater().getStateViewArray();
        assertTrue(state.length() > 1 << 20, state.shapeInfoToString());
        ModelSerializer.writeModel(original, file.toFile(), true);
        MultiLayerNetwork restored = SafeRestore.multiLayerNetwork(file, true);
        assertEquals(state, restored.getUpdater().getStateViewArray());
    }

    /** Under bf16-o2 pairs of BF16 elements are the halves of an FP32 master. */
    private static ByteBuffer bits(INDArray array) {
        return array.dup().data().asNio();
    }

    @Test
    void graphsComeBackAndTrainOnAsIfNeverSaved() throws IOException {
        ComputationGraph original = network(Bf16Policy.FP32).toComputationGraph();
        original.fit(TestNetworks.DATA);
        ModelSerializer.writeModel(original, file.toFile(), true);
        ComputationGraph restored = SafeRestore.computationGraph(file, true);
        original.fit(TestNetworks.DATA);
        restored.fit(TestNetworks.DATA);
        assertEquals(original.params(), restored.params());
    }

    /** Runs code where Java serialization reads it. */
    private static final class Malicious implements Serializable {
        private static final long serialVersionUID = 1;

        private void readObject(ObjectInputStream in) {
            ranCode = true;
        }
    }

    @Test
    void javaSerializationIsNotRead() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(new Malicious());
        }
        change("preprocessor.bin", nothing -> bytes.toByteArray());
        assertEquals(network.params(), SafeRestore.multiLayerNetwork(file, true).params());
        assertFalse(ranCode);
        // what this is for
        assertThrows(Exception.class, () -> ModelSerializer.restoreMultiLayerNetwork(file.toFile(), true));
        assertTrue(ranCode);
    }

    /** Runs code when it is loaded. */
    static final class Loaded {
        static {
            ranCode = true;
        }

        private Loaded() {}
    }

    @Test
    void classesAreOfAClosedList() throws IOException {
        String name = SafeRestoreTest.class.getName() + "$Loaded";
        changeConfiguration(json -> json.replace(LAYER, name));
        assertProblem("configuration.json names the class " + name + ", which is none of DL4J's");
        changeConfiguration(json -> json.replace(name, "java.util.ArrayList<" + name + ">"));
        assertProblem("configuration.json names the class java.util.ArrayList<" + name + ">");
        write();
        changeConfiguration(json -> json.replace(NormalDistribution.class.getName(), name));
        assertProblem("configuration.json names the class " + name);
        assertFalse(ranCode);
    }

    @Test
    void furtherPackagesAreTheCallersChoice() throws IOException {
        changeConfiguration(json -> json.replaceFirst(LAYER, "org.example.Layer"));
        String message = assertThrows(IOException.class, () -> SafeRestore.multiLayerNetwork(file, true, "org.example"))
                .getMessage();
        assertTrue(message.contains("configuration.json is no configuration of this kind of network"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"configuration.json", "coefficients.bin", "updaterState.bin"})
    void whatIsMissingIsNamed(String entry) throws IOException {
        change(entry, bytes -> null);
        assertProblem("it has no " + entry);
    }

    @Test
    void withoutItsStateAnUpdaterStartsAfresh() throws IOException {
        change("updaterState.bin", bytes -> null);
        assertEquals(
                network.params(), SafeRestore.multiLayerNetwork(file, false).params());
    }

    @ParameterizedTest
    @ValueSource(strings = {"coefficients.bin", "updaterState.bin"})
    void arraysHaveTheirLength(String entry) throws IOException {
        change(entry, bytes -> Arrays.copyOf(bytes, bytes.length - 2));
        assertProblem(entry + " says that it has");
        change(entry, bytes -> Arrays.copyOf(bytes, bytes.length + 4));
        assertProblem(entry + " says that it has");
        change(entry, bytes -> array(Nd4j.create(DataType.BFLOAT16, 1, 7)));
        assertProblem(entry.startsWith("c") ? "are not of one network" : "has 7 elements, expected ");
        change(entry, bytes -> array(Nd4j.createFromArray(1, 2, 3)));
        assertProblem(entry + " has elements of type INT");
        change(entry, bytes -> array(Nd4j.create(DataType.BFLOAT16, 3, 7)));
        assertProblem(entry + " is no dense vector");
        change(entry, bytes -> new byte[] {0, 0, 0});
        assertProblem("model.zip");
    }

    /** A header that asks for an exabyte; and strides that point outside of the elements. */
    @Test
    void headersAreCheckedBeforeAnythingIsAllocated() throws IOException {
        change("coefficients.bin", bytes -> withLength(bytes, Long.MAX_VALUE / 4));
        assertProblem("coefficients.bin");
        write();
        change("coefficients.bin", bytes -> withStride(bytes, 1L << 40));
        assertProblem("coefficients.bin is no dense vector");
    }

    @Test
    void typesAreThoseOfTheNetwork() throws IOException {
        change("coefficients.bin", bytes -> array(network.params().castTo(DataType.FLOAT)));
        assertProblem("coefficients.bin has elements of type FLOAT, expected BFLOAT16");
    }

    @Test
    void whatIsNoModelIsNamed() throws IOException {
        Files.writeString(file, "a text");
        assertProblem("is no model: it is no whole zip file");
        Files.write(file, new byte[0]);
        assertProblem("is no model: it is no whole zip file");
        write();
        changeConfiguration(json -> "[".repeat(100_000));
        assertProblem("configuration.json is nested more than 200 deep");
        changeConfiguration(json -> "{");
        assertProblem("configuration.json is no JSON");
        changeConfiguration(json -> "{}");
        assertProblem("model.zip");
        write();
        String message = assertThrows(IOException.class, () -> SafeRestore.computationGraph(file, true))
                .getMessage();
        assertTrue(message.contains("expected a ComputationGraph; multiLayerNetwork restores the other kind"), message);
    }

    private void assertProblem(String reason) {
        String message = assertThrows(IOException.class, () -> SafeRestore.multiLayerNetwork(file, true))
                .getMessage();
        assertTrue(message.startsWith(file.toString()) && message.contains(reason), message);
        assertFalse(message.contains("\n"), message);
    }

    private void changeConfiguration(UnaryOperator<String> change) throws IOException {
        change("configuration.json", bytes -> {
            String before = new String(bytes, StandardCharsets.UTF_8);
            String after = change.apply(before);
            assertNotEquals(before, after);
            return after.getBytes(StandardCharsets.UTF_8);
        });
    }

    /** Rewrites the zip with one entry changed, added (from null) or left out (to null). */
    private void change(String name, UnaryOperator<byte[]> change) throws IOException {
        ByteArrayOutputStream changed = new ByteArrayOutputStream();
        boolean found = false;
        try (ZipInputStream in = new ZipInputStream(Files.newInputStream(file));
                ZipOutputStream out = new ZipOutputStream(changed)) {
            for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                byte[] bytes = in.readAllBytes();
                if (entry.getName().equals(name)) {
                    found = true;
                    bytes = change.apply(bytes);
                }
                put(out, entry.getName(), bytes);
            }
            if (!found) {
                put(out, name, change.apply(null));
            }
        }
        Files.write(file, changed.toByteArray());
    }

    private static void put(ZipOutputStream out, String name, byte[] bytes) throws IOException {
        if (bytes != null) {
            out.putNextEntry(new ZipEntry(name));
            out.write(bytes);
        }
    }

    private static byte[] array(INDArray array) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            Nd4j.write(array, new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] withLength(byte[] array, long length) {
        return rewritten(array, (shape, header) -> {
            shape[(int) shape[0]] = length;
            header[0] = length;
        });
    }

    private static byte[] withStride(byte[] array, long stride) {
        return rewritten(array, (shape, header) -> shape[2 * (int) shape[0]] = stride);
    }

    private interface Change {
        void apply(long[] shapeInformation, long[] length);
    }

    private static byte[] rewritten(byte[] array, Change change) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(array));
                DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeUTF(in.readUTF());
            long[] shape = new long[(int) in.readLong()];
            out.writeLong(shape.length);
            out.writeUTF(in.readUTF());
            for (int i = 0; i < shape.length; i++) {
                shape[i] = in.readLong();
            }
            String allocation = in.readUTF();
            long[] length = {in.readLong()};
            change.apply(shape, length);
            for (long value : shape) {
                out.writeLong(value);
            }
            out.writeUTF(allocation);
            out.writeLong(length[0]);
            in.transferTo(out);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes.toByteArray();
    }

    private static MultiLayerNetwork network(Bf16Policy policy) {
        return network(policy, 24);
    }

    @SuppressWarnings("deprecation")
    private static MultiLayerNetwork network(Bf16Policy policy, int width) {
        var network = new MultiLayerNetwork(policy.apply(TestNetworks.builder(new Adam(1e-2))
                .dist(new NormalDistribution(0, 0.1))
                .list()
                .layer(TestNetworks.dense(TestNetworks.INPUTS, width))
                .layer(TestNetworks.output(width))
                .build()));
        network.init();
        network.fit(TestNetworks.DATA);
        return network;
    }
}
