package org.dl4jsr.backend.unified;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.indexer.FloatIndexer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.LearningPolicy;
import org.nd4j.linalg.api.memory.enums.ResetPolicy;
import org.nd4j.linalg.api.memory.enums.SpillPolicy;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * ND4J's arrays, made and changed in the ways that go past its ops, between ops of ours, which leave a GPU at work. Right
 * on any device.
 */
class ArraysTest {

    private static final float[] VALUES = {3, 1, 4, 1, 5, 9};

    /** Has kernels write to {@code array}, if the GPU is given its type. */
    private static INDArray touched(INDArray array) {
        return array.castTo(DataType.BFLOAT16).castTo(array.dataType());
    }

    private static void assertValues(INDArray array) {
        assertArrayEquals(VALUES, touched(array.dup()).reshape(array.length()).toFloatVector(), array.dataType()::name);
        touched(array);
        assertArrayEquals(VALUES, array.reshape(array.length()).toFloatVector(), array.dataType()::name);
    }

    /** Others cannot be cast to and back, or hold no 9. */
    @ParameterizedTest
    @EnumSource(names = {"DOUBLE", "FLOAT", "HALF", "BFLOAT16", "LONG", "INT", "SHORT", "BYTE", "UBYTE"})
    void creation(DataType type) {
        assertValues(Nd4j.createFromArray(VALUES).castTo(type));
        assertValues(Nd4j.create(VALUES, new long[] {2, 3}, new long[] {3, 1}, 'c', type));
        assertValues(Nd4j.create(new double[] {3, 1, 4, 1, 5, 9}, new long[] {6}, type));
        assertValues(Nd4j.create(new int[] {3, 1, 4, 1, 5, 9}, new long[] {6}, type));
        assertValues(Nd4j.create(new long[] {3, 1, 4, 1, 5, 9}, new long[] {6}, type));
        assertValues(Nd4j.create(Nd4j.createTypedBuffer(VALUES, type), new long[] {6}));
        assertEquals(7, touched(Nd4j.scalar(type, 7)).getInt(0));
        assertEquals(7, touched(Nd4j.valueArrayOf(new long[] {3}, 7, type)).getInt(1));
        INDArray filled = touched(Nd4j.create(type, 6));
        for (int i = 0; i < VALUES.length; i++) {
            filled.putScalar(i, VALUES[i]);
        }
        assertValues(filled);
    }

    @Test
    void javaArrays() {
        assertValues(Nd4j.createFromArray(new int[][] {{3, 1, 4}, {1, 5, 9}}));
        assertValues(Nd4j.createFromArray(new float[][] {{3, 1, 4}, {1, 5, 9}}));
        assertValues(Nd4j.createFromArray(3.0, 1.0, 4.0, 1.0, 5.0, 9.0));
        assertValues(Nd4j.createFromArray(3L, 1L, 4L, 1L, 5L, 9L));
        assertValues(Nd4j.create(new float[][] {{3, 1, 4}, {1, 5, 9}}));
        assertValues(Nd4j.create(new double[][] {{3, 1, 4}, {1, 5, 9}}));
        assertValues(Nd4j.create(VALUES, new int[] {2, 3}));
        assertValues(Nd4j.create(VALUES, 'c'));
        assertValues(Nd4j.create(List.of(3.0, 1.0, 4.0, 1.0, 5.0, 9.0)));
    }

    /** Of somebody else's memory. */
    @Test
    void buffersOfPointers() {
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * VALUES.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(VALUES);
        assertValues(Nd4j.create(Nd4j.createBuffer(bytes, DataType.FLOAT, 6), new long[] {6}));
        var floats = new FloatPointer(VALUES);
        assertValues(
                Nd4j.create(Nd4j.createBuffer(floats, DataType.FLOAT, 6, FloatIndexer.create(floats)), new long[] {6}));
        assertValues(Nd4j.create(Nd4j.getDataBufferFactory().create(new FloatPointer(VALUES), 6), new long[] {6}));
        assertValues(
                Nd4j.create(Nd4j.getDataBufferFactory().create(new IntPointer(3, 1, 4, 1, 5, 9), 6), new long[] {6}));
        DataBuffer buffer = touched(Nd4j.createFromArray(VALUES)).data();
        assertEquals(4, buffer.asNioFloat().get(2));
        assertEquals(4, buffer.getFloat(2));
        assertArrayEquals(VALUES, buffer.asFloat());
        assertArrayEquals(VALUES, buffer.dup().asFloat());
        assertEquals(24, buffer.asBytes().length);
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT", "BFLOAT16", "INT", "LONG"})
    void changes(DataType type) {
        INDArray x = touched(Nd4j.createFromArray(VALUES).castTo(type)).reshape(2, 3);
        assertValues(x.dup('f').dup('c'));
        assertValues(touched(x).permute(1, 0).dup().permute(1, 0));
        assertValues(touched(x).reshape('f', 3, 2).dup().reshape('f', 2, 3));
        INDArray row = touched(x).get(NDArrayIndex.point(1), NDArrayIndex.all());
        assertEquals(15, row.sumNumber().intValue());
        assertEquals(9, touched(x).maxNumber().intValue());
        assertEquals(5, touched(x).argMax().getInt(0));
        INDArray y = Nd4j.create(type, 2, 3);
        y.assign(touched(x));
        assertValues(y);
        y.put(1, 2, 7);
        y.getRow(1).putScalar(2, 9);
        assertValues(y);
        y.putRow(0, touched(x).getRow(0));
        assertValues(y);
        y.get(NDArrayIndex.all(), NDArrayIndex.interval(0, 1))
                .assign(touched(x).get(NDArrayIndex.all(), NDArrayIndex.interval(0, 1)));
        assertValues(y);
        assertValues(Nd4j.concat(0, touched(x.getRow(0)), touched(x.getRow(1))));
        assertEquals(x, touched(y));
    }

    @Test
    void pastTheExecutioner() {
        for (DataType type : List.of(DataType.FLOAT, DataType.BFLOAT16)) {
            INDArray x = touched(Nd4j.createFromArray(VALUES).castTo(type)).reshape(3, 2);
            assertArrayEquals(
                    new float[] {5, 9, 3, 1},
                    Nd4j.pullRows(touched(x), 1, new int[] {2, 0}).reshape(4).toFloatVector());
            assertEquals(9, Nd4j.tear(touched(x), 1)[2].getFloat(1));
            assertEquals(
                    4,
                    Nd4j.averageAndPropagate(new INDArray[] {touched(x), touched(x)})
                            .getFloat(1, 0));
            assertEquals(8, Nd4j.accumulate(touched(x), touched(x)).getFloat(1, 0));
            assertEquals(9, Nd4j.sort(touched(x.reshape(6)), false).getFloat(0));
            INDArray shuffled = touched(x);
            Nd4j.shuffle(shuffled, new Random(1), 1);
            assertEquals(23, shuffled.sumNumber().intValue());
        }
    }

    @Test
    void numpy() {
        for (DataType type : List.of(DataType.FLOAT, DataType.INT32, DataType.INT64, DataType.DOUBLE)) {
            INDArray x = Nd4j.createFromArray(VALUES).castTo(type);
            assertValues(Nd4j.createFromNpyPointer(Nd4j.convertToNumpy(touched(x))));
            assertValues(Nd4j.createNpyFromByteArray(Nd4j.toNpyByteArray(touched(x))));
        }
    }

    /** On a GPU, some of 512 KiB and less and some of more lie in other kinds of memory. */
    @Test
    void largeAndSmallBlocksAreUsedAgain() {
        for (int length : new int[] {10, 131_072, 131_073, 1_000_000}) {
            for (int i = 1; i <= 4; i++) {
                INDArray x = touched(Nd4j.valueArrayOf(new long[] {length}, i, DataType.FLOAT));
                assertEquals(i, x.getFloat(length - 1));
                touched(x).close();
                x.close();
                INDArray zero = Nd4j.createUninitialized(DataType.FLOAT, length);
                assertEquals(0, zero.getFloat(length - 1));
                zero.close();
            }
        }
    }

    @Test
    void growingKeepsWhatThereIs() {
        for (int length : new int[] {10, 131_072, 1_000_000}) {
            for (DataType type : List.of(DataType.FLOAT, DataType.BFLOAT16, DataType.INT32)) {
                DataBuffer buffer = Nd4j.createBuffer(type, length, true);
                buffer.put(length - 1, 7);
                buffer.reallocate(2L * length);
                assertEquals(7, buffer.getFloat(length - 1));
                assertEquals(0, buffer.getFloat(2L * length - 1));
            }
        }
    }

    @Test
    void workspaces() {
        var builder = WorkspaceConfiguration.builder().initialSize(20_000).policySpill(SpillPolicy.REALLOCATE);
        for (var configuration : List.of(
                builder.policyReset(ResetPolicy.ENDOFBUFFER_REACHED)
                        .overallocationLimit(4)
                        .policyLearning(LearningPolicy.NONE)
                        .build(),
                builder.overallocationLimit(0)
                        .initialSize(0)
                        .policyReset(ResetPolicy.BLOCK_LEFT)
                        .policyLearning(LearningPolicy.FIRST_LOOP)
                        .build(),
                builder.initialSize(1000).policySpill(SpillPolicy.EXTERNAL).build())) {
            String id = "ARRAYS";
            for (int cycle = 0; cycle < 5; cycle++) {
                try (MemoryWorkspace workspace =
                        Nd4j.getWorkspaceManager().getAndActivateWorkspace(configuration, id)) {
                    for (DataType type : List.of(
                            DataType.FLOAT, DataType.INT64, DataType.INT32, DataType.BFLOAT16, DataType.DOUBLE)) {
                        INDArray x = Nd4j.create(type, 100);
                        assertEquals(0, x.sumNumber().doubleValue());
                        x.putScalar(99, cycle + 1);
                        INDArray copy = touched(x).dup();
                        assertEquals(cycle + 1, copy.getInt(99));
                        touched(copy);
                        assertEquals(cycle + 1, copy.detach().getInt(99));
                        x.addi(1);
                    }
                }
            }
            Nd4j.getWorkspaceManager()
                    .destroyWorkspace(Nd4j.getWorkspaceManager().getWorkspaceForCurrentThread(id));
        }
    }
}
