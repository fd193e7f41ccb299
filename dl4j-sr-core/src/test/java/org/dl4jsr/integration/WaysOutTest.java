package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.bits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.flatbuffers.FlatBufferBuilder;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.datavec.api.writable.NDArrayWritable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.graph.FlatArray;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.serde.base64.Nd4jBase64;
import org.nd4j.serde.binary.BinarySerde;
import org.nd4j.serde.jackson.shaded.NDArrayDeSerializer;
import org.nd4j.serde.jackson.shaded.NDArraySerializer;
import org.nd4j.serde.jackson.shaded.NDArrayTextDeSerializer;
import org.nd4j.serde.jackson.shaded.NDArrayTextSerializer;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.module.SimpleModule;

/** Every way of ND4J's to write BF16 arrays and to read them: right, or refused in one clear line. */
class WaysOutTest {

    private interface Trip {
        INDArray of(INDArray array) throws Exception;
    }

    @TempDir
    private Path directory;

    private static Map<String, INDArray> arrays() {
        INDArray matrix = Nd4j.createFromArray(1, 2, 3, 4.5f, -6, 7, 0.00390625f, -0.5f, 100, 200, 3e30f, -1e-30f)
                .castTo(DataType.BFLOAT16)
                .reshape(3, 4);
        INDArray cube = Nd4j.linspace(DataType.FLOAT, -3, 0.25, 24)
                .castTo(DataType.BFLOAT16)
                .reshape(2, 3, 4);
        var arrays = new LinkedHashMap<String, INDArray>();
        arrays.put("scalar", Nd4j.scalar(DataType.BFLOAT16, 1.5));
        arrays.put("rounded scalar", Nd4j.scalar(DataType.BFLOAT16, 0.3));
        arrays.put("one element", matrix.getScalar(1, 1));
        arrays.put("vector", matrix.reshape(12));
        arrays.put("matrix", matrix);
        arrays.put("matrix in f order", matrix.dup('f'));
        arrays.put("row", matrix.getRow(1));
        arrays.put("column", matrix.getColumn(1));
        arrays.put("block", matrix.get(NDArrayIndex.interval(1, 3), NDArrayIndex.interval(1, 3)));
        arrays.put("transpose", matrix.transpose());
        arrays.put("cube", cube);
        arrays.put("permuted cube", cube.permute(2, 0, 1));
        arrays.put("slice", cube.slice(1));
        arrays.put("rank 5", cube.reshape(2, 3, 2, 1, 2));
        return arrays;
    }

    @SuppressWarnings("deprecation") // readTxt, too
    private Map<String, Trip> trips() {
        File file = directory.resolve("array").toFile();
        var trips = new LinkedHashMap<String, Trip>();
        trips.put("BinarySerde", array -> BinarySerde.toArray(BinarySerde.toByteBuffer(array)));
        trips.put("BinarySerde, file", array -> {
            BinarySerde.writeArrayToDisk(array, file);
            return BinarySerde.readFromDisk(file);
        });
        trips.put("BinarySerde, stream", array -> {
            var bytes = new ByteArrayOutputStream();
            BinarySerde.writeArrayToOutputStream(array, bytes);
            return BinarySerde.toArray(ByteBuffer.wrap(bytes.toByteArray()));
        });
        trips.put("Java serialization", WaysOutTest::serialized);
        trips.put("Java serialization of a DataSet", array -> serialized(new DataSet(array, array))
                .getLabels());
        trips.put("Nd4j.write", array -> {
            var bytes = new ByteArrayOutputStream();
            Nd4j.write(array, new DataOutputStream(bytes));
            return Nd4j.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
        });
        trips.put("Nd4j.write, stream", array -> {
            var bytes = new ByteArrayOutputStream();
            Nd4j.write(bytes, array);
            return Nd4j.read(new ByteArrayInputStream(bytes.toByteArray()));
        });
        trips.put("Nd4j.saveBinary", array -> {
            Nd4j.saveBinary(array, file);
            return Nd4j.readBinary(file);
        });
        trips.put("Nd4j.toByteArray", array -> Nd4j.fromByteArray(Nd4j.toByteArray(array)));
        trips.put("Nd4j.writeTxt", array -> {
            Nd4j.writeTxt(array, file.getPath());
            return Nd4j.readTxt(file.getPath()).castTo(DataType.BFLOAT16);
        });
        trips.put("DataSet.save", array -> {
            new DataSet(array, array).save(file);
            var read = new DataSet();
            read.load(file);
            assertArrayEquals(bits(read.getFeatures()), bits(read.getLabels()));
            return read.getLabels();
        });
        trips.put("MultiDataSet.save", array -> {
            new MultiDataSet(array, array).save(file);
            var read = new MultiDataSet();
            read.load(file);
            return read.getLabels(0);
        });
        trips.put("toFlatArray", array -> {
            var builder = new FlatBufferBuilder(1024);
            builder.finish(array.toFlatArray(builder));
            return Nd4j.createFromFlatArray(FlatArray.getRootAsFlatArray(builder.dataBuffer()));
        });
        trips.put("toFlatArray of what was deserialized", array -> {
            var builder = new FlatBufferBuilder(1024);
            builder.finish(serialized(array).toFlatArray(builder));
            return Nd4j.createFromFlatArray(FlatArray.getRootAsFlatArray(builder.dataBuffer()));
        });
        trips.put("SameDiff.save", array -> {
            SameDiff graph = SameDiff.create();
            graph.constant("array", array);
            graph.save(file, false);
            return SameDiff.load(file, false).getVariable("array").getArr();
        });
        trips.put("NDArrayWritable", array -> {
            var bytes = new ByteArrayOutputStream();
            new NDArrayWritable(array).write(new DataOutputStream(bytes));
            var read = new NDArrayWritable();
            read.readFields(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
            return read.get();
        });
        trips.put("Java serialization of an NDArrayWritable", array -> serialized(new NDArrayWritable(array))
                .get());
        trips.put("Nd4jBase64", array -> Nd4jBase64.fromBase64(Nd4jBase64.base64String(array)));
        trips.put("NDArraySerializer", array -> {
            var mapper = new ObjectMapper()
                    .registerModule(new SimpleModule()
                            .addSerializer(INDArray.class, new NDArraySerializer())
                            .addDeserializer(INDArray.class, new NDArrayDeSerializer()));
            return mapper.readValue(mapper.writerFor(INDArray.class).writeValueAsString(array), INDArray.class);
        });
        trips.put("compression by GZIP", array -> Nd4j.getCompressor()
                .decompress(Nd4j.getCompressor().compress(array, "GZIP")));
        return trips;
    }

    @SuppressWarnings("unchecked")
    private static <T> T serialized(T object) throws IOException, ClassNotFoundException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new ObjectOutputStream(bytes)) {
            out.writeObject(object);
        }
        try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return (T) in.readObject();
        }
    }

    @TestFactory
    Stream<DynamicTest> everyBitComesBack() {
        return trips().entrySet().stream()
                .map(trip -> DynamicTest.dynamicTest(trip.getKey(), () -> {
                    for (var array : arrays().entrySet()) {
                        INDArray back = trip.getValue().of(array.getValue());
                        assertEquals(DataType.BFLOAT16, back.dataType(), array.getKey());
                        assertArrayEquals(array.getValue().shape(), back.shape(), array.getKey());
                        assertArrayEquals(bits(array.getValue()), bits(back), array.getKey());
                    }
                }));
    }

    @Test
    void javaArraysAndText() {
        arrays().forEach((name, array) -> {
            INDArray wide = array.castTo(DataType.FLOAT);
            assertArrayEquals(
                    wide.dup('c').data().asFloat(), array.dup('c').data().asFloat(), name);
            assertArrayEquals(
                    wide.dup('c').data().asDouble(), array.dup('c').data().asDouble(), name);
            if (array.isVector()) {
                assertArrayEquals(wide.toFloatVector(), array.toFloatVector(), name);
                assertArrayEquals(wide.toDoubleVector(), array.toDoubleVector(), name);
                assertArrayEquals(wide.toIntVector(), array.toIntVector(), name);
            }
            if (array.rank() == 2) {
                assertArrayEquals(wide.toFloatMatrix(), array.toFloatMatrix(), name);
                assertArrayEquals(wide.toDoubleMatrix(), array.toDoubleMatrix(), name);
                assertArrayEquals(wide.toIntMatrix(), array.toIntMatrix(), name);
            }
            if (array.rank() == 1 || array.rank() == 2) { // ND4J leaves out parts of permuted cubes, in FLOAT, too
                assertEquals(wide.toString(), array.toString(), name);
            }
        });
    }

    /** 1.5 is 0x3FC0, and -2 0xC000. */
    @Test
    void bytesAreBigEndian() {
        INDArray array = Nd4j.createFromArray(1.5f, -2f).castTo(DataType.BFLOAT16);
        assertArrayEquals(
                new byte[] {0x3F, (byte) 0xC0, (byte) 0xC0, 0}, array.data().asBytes());
    }

    @Test
    void aScalarEqualsItsCopy() {
        INDArray scalar = Nd4j.scalar(DataType.BFLOAT16, 0.3);
        assertEquals(scalar, scalar.dup());
        assertEquals(0.3f, scalar.dup('f').getFloat(0));
    }

    @Test
    void numPyIsRefused() {
        File file = directory.resolve("array.npy").toFile();
        arrays().forEach((name, array) -> {
            var message = "NumPy's format has no BFLOAT16; castTo(DataType.FLOAT) first";
            assertEquals(
                    message,
                    assertThrows(UnsupportedOperationException.class, () -> Nd4j.toNpyByteArray(array))
                            .getMessage());
            assertThrows(UnsupportedOperationException.class, () -> Nd4j.writeAsNumpy(array, file));
            assertTrue(!file.exists() || file.length() == 0, name);
        });
    }

    /** It writes no value of a type that it does not know, and there is nothing of ours that it asks by then. */
    @Test
    void jsonAsTextIsRefusedByItsReader() throws IOException {
        var mapper = new ObjectMapper();
        mapper.registerModule(new SimpleModule()
                .addSerializer(INDArray.class, new NDArrayTextSerializer())
                .addDeserializer(INDArray.class, new NDArrayTextDeSerializer()));
        String text = mapper.writerFor(INDArray.class).writeValueAsString(arrays().get("matrix"));
        assertEquals(
                "Unknown datatype: BFLOAT16",
                assertThrows(RuntimeException.class, () -> mapper.readValue(text, INDArray.class))
                        .getMessage());
    }
}
