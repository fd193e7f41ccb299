package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import com.google.flatbuffers.FlatBufferBuilder;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.ShortPointer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jsr.rounding.BFloat16;
import org.junit.jupiter.api.Test;
import org.nd4j.graph.FlatArray;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Copies keep every bit, casts and element writes round to nearest even. */
class Bf16CopiesTest {

    private final Random random = new Random(1);

    @Test
    void copiesKeepEveryBit() throws IOException {
        INDArray x = everyBitPattern();
        short[] bits = Bf16Testing.bits(x);
        assertArrayEquals(bits, Bf16Testing.bits(x.dup()));
        assertArrayEquals(bits, Bf16Testing.bits(x.dup('f')));
        INDArray matrix = x.reshape('f', new long[] {256, 256});
        assertArrayEquals(bits, Bf16Testing.bits(matrix.dup().reshape('f', new long[] {65536})));
        assertArrayEquals(
                bits, Bf16Testing.bits(Nd4j.create(DataType.BFLOAT16, 65536).assign(x)));
        assertArrayEquals(
                bits, Bf16Testing.bits(Nd4j.create(DataType.BFLOAT16, 1, 65536).assign(x)));
        assertArrayEquals(
                bits,
                Bf16Testing.bits(
                        Nd4j.concat(0, x.get(NDArrayIndex.interval(0, 99)), x.get(NDArrayIndex.interval(99, 65536)))));
        assertArrayEquals(bits, Bf16Testing.bits(Nd4j.toFlattened(x)));
        assertArrayEquals(bits, Bf16Testing.bits(Nd4j.create(x.data().dup(), new long[] {65536})));
        assertArrayEquals(bits, Bf16Testing.bits(Nd4j.fromByteArray(Nd4j.toByteArray(x))));
        var out = new ByteArrayOutputStream();
        Nd4j.write(x.get(NDArrayIndex.interval(0, 2, 65536)), new DataOutputStream(out)); // a view
        short[] half = Bf16Testing.bits(Nd4j.read(new ByteArrayInputStream(out.toByteArray())));
        for (int i = 0; i < half.length; i++) {
            assertEquals(bits[2 * i], half[i]);
        }
    }

    /** SameDiff copies the scalars of its ops this way. */
    @Test
    void flatArraysKeepEveryBit() {
        for (INDArray x : List.of(everyBitPattern(), Nd4j.scalar(DataType.BFLOAT16, 1))) {
            var builder = new FlatBufferBuilder();
            builder.finish(x.toFlatArray(builder));
            INDArray copy = Nd4j.createFromFlatArray(FlatArray.getRootAsFlatArray(builder.dataBuffer()));
            assertArrayEquals(Bf16Testing.bits(x), Bf16Testing.bits(copy));
        }
    }

    @Test
    void stridedCopiesKeepEveryBit() {
        for (int trial = 0; trial < 200; trial++) {
            long rows = 1 + random.nextInt(70);
            long columns = 1 + random.nextInt(70);
            INDArray x = Bf16Testing.randomLayout(random, rows, columns);
            INDArray y = Bf16Testing.randomLayout(random, rows, columns);
            y.assign(x);
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < columns; j++) {
                    assertEquals(x.getFloat(i, j), y.getFloat(i, j));
                }
            }
        }
    }

    @Test
    void aSavedNetworkKeepsEveryBitOfItsState() throws IOException {
        var configuration = new NeuralNetConfiguration.Builder()
                .updater(new Adam(1e-3))
                .list()
                .layer(new DenseLayer.Builder().nIn(30).nOut(40).build())
                .layer(new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(40)
                        .nOut(7)
                        .activation(Activation.IDENTITY)
                        .build())
                .build();
        configuration.setDataType(DataType.BFLOAT16);
        var network = new MultiLayerNetwork(configuration);
        network.init();
        randomBits(network.params());
        randomBits(network.getUpdater().getStateViewArray());
        var out = new ByteArrayOutputStream();
        ModelSerializer.writeModel(network, out, true);
        var restored = ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(out.toByteArray()), true);
        assertArrayEquals(Bf16Testing.bits(network.params()), Bf16Testing.bits(restored.params()));
        assertArrayEquals(
                Bf16Testing.bits(network.getUpdater().getStateViewArray()),
                Bf16Testing.bits(restored.getUpdater().getStateViewArray()));
        assertArrayEquals(
                Bf16Testing.bits(network.params()),
                Bf16Testing.bits(network.clone().params()));
    }

    /** An array is not copied onto itself; all else within its allocation is. */
    @Test
    void copiesWithinOneAllocation() {
        for (DataType type : List.of(DataType.FLOAT, DataType.BFLOAT16, DataType.INT32)) {
            INDArray all = Nd4j.createFromArray(0, 1, 2, 3, 4, 5, 6, 7).castTo(type);
            INDArray first = all.get(NDArrayIndex.interval(0, 4));
            first.assign(first);
            all.assign(all.reshape(2, 4).reshape(8));
            assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7}, all.toIntVector());
            first.assign(all.get(NDArrayIndex.interval(4, 8)));
            assertArrayEquals(new int[] {4, 5, 6, 7, 4, 5, 6, 7}, all.toIntVector());
            first.reshape(2, 2).assign(all.get(NDArrayIndex.interval(4, 8)).reshape('f', 2, 2));
            assertArrayEquals(new int[] {4, 6, 5, 7, 4, 5, 6, 7}, all.toIntVector());
        }
    }

    @Test
    void castsAreThoseOfTheSpecification() {
        for (int trial = 0; trial < 200; trial++) {
            float[] values = new float[1 + random.nextInt(300)];
            for (int i = 0; i < values.length; i++) {
                values[i] = Float.intBitsToFloat(random.nextInt());
            }
            INDArray wide = Nd4j.createFromArray(values);
            short[] bits = Bf16Testing.bits(wide.castTo(DataType.BFLOAT16));
            for (int i = 0; i < bits.length; i++) {
                assertEquals(BFloat16.fromFloat(values[i]), bits[i], "of " + values[i]);
            }
        }
        INDArray all = everyBitPattern();
        float[] wide = all.castTo(DataType.FLOAT).data().asFloat();
        for (int i = 0; i < 65536; i++) {
            assertEquals(BFloat16.toFloat((short) i), wide[i]);
        }
    }

    @Test
    void castsOfViews() {
        for (int trial = 0; trial < 200; trial++) {
            INDArray x = Bf16Testing.randomLayout(random, 1 + random.nextInt(60), 1 + random.nextInt(60));
            INDArray wide = x.castTo(DataType.FLOAT);
            INDArray noise = Nd4j.rand(DataType.FLOAT, x.shape()).muli(0x1p-12);
            INDArray target = Bf16Testing.randomLayout(random, x.rows(), x.columns());
            target.assign(wide.add(noise));
            for (int i = 0; i < x.rows(); i++) {
                for (int j = 0; j < x.columns(); j++) {
                    assertEquals(x.getFloat(i, j), wide.getFloat(i, j));
                    float sum = wide.getFloat(i, j) + noise.getFloat(i, j);
                    assertEquals(nearest(sum), target.getFloat(i, j));
                }
            }
        }
    }

    @Test
    void castsToOtherTypes() {
        INDArray x = Nd4j.createFromArray(-3f, 0.5f, 255f).castTo(DataType.BFLOAT16);
        assertEquals(Nd4j.createFromArray(-3.0, 0.5, 255.0), x.castTo(DataType.DOUBLE));
        assertEquals(Nd4j.createFromArray(-3, 0, 255), x.castTo(DataType.INT32));
        assertEquals(
                258f, Nd4j.createFromArray(257, 259).castTo(DataType.BFLOAT16).getFloat(1) - 2);
        assertEquals(
                nearest(0.3f),
                Nd4j.createFromArray(0.3).castTo(DataType.BFLOAT16).getFloat(0));
    }

    @Test
    void elementWritesRoundToNearest() {
        float value = 1.00585f; // nearest 1.0078125, truncated 1
        INDArray x = Nd4j.create(DataType.BFLOAT16, 2, 3);
        x.putScalar(1, 2, value);
        x.putScalar(0, 1, (double) value);
        x.putScalar(0, 0, 259);
        assertEquals(nearest(value), x.getFloat(1, 2));
        assertEquals(nearest(value), x.getFloat(0, 1));
        assertEquals(260f, x.getFloat(0, 0));
        INDArray created = Nd4j.create(new float[] {value, -value}, new long[] {2}, DataType.BFLOAT16);
        assertEquals(-nearest(value), created.getFloat(1));
        assertEquals(
                nearest(value),
                Nd4j.create(new double[] {value}, new long[] {1}, DataType.BFLOAT16)
                        .getFloat(0));
        assertEquals(
                nearest(value),
                Nd4j.valueArrayOf(new long[] {4}, value, DataType.BFLOAT16).getFloat(3));
        assertEquals(
                nearest(value), Nd4j.create(DataType.BFLOAT16, 4).assign(value).getFloat(3));
        INDArray scalar = Nd4j.scalar(DataType.BFLOAT16, value);
        assertEquals(BFloat16.fromFloat(value), Bf16Testing.bits(scalar)[0]);
    }

    /** What flat buffers restore. */
    @Test
    void buffersFromBytes() {
        ByteBuffer bytes = ByteBuffer.allocateDirect(8).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putShort((short) 0x3F80)
                .putShort((short) 0x7FC1)
                .putShort((short) 0xC000)
                .putShort((short) 1)
                .flip();
        var buffer = Nd4j.createBuffer(bytes, DataType.BFLOAT16, 3, 1);
        assertArrayEquals(
                new short[] {0x7FC1, (short) 0xC000, 1}, Bf16Testing.bits(Nd4j.create(buffer, new long[] {3})));
    }

    @Test
    void buffersInWorkspaces() {
        try (MemoryWorkspace workspace = Nd4j.getWorkspaceManager().getAndActivateWorkspace("BF16_BUFFERS")) {
            INDArray x = Nd4j.create(DataType.BFLOAT16, 3);
            assertInstanceOf(Bf16DataBuffer.class, x.data());
            assertEquals(nearest(0.3f), x.putScalar(1, 0.3f).getFloat(1));
        }
    }

    private static float nearest(float value) {
        return BFloat16.toFloat(BFloat16.fromFloat(value));
    }

    private static INDArray everyBitPattern() {
        INDArray x = Nd4j.create(DataType.BFLOAT16, 65536);
        short[] bits = new short[65536];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (short) i;
        }
        new ShortPointer(x.data().addressPointer()).put(bits);
        return x;
    }

    private void randomBits(INDArray array) {
        short[] bits = new short[(int) array.length()];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (short) random.nextInt();
        }
        new ShortPointer(array.data().addressPointer()).put(bits);
    }
}
