package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class CachedShapesTest {

    private final CachedShapes shapes = new CachedShapes();

    private Pair<DataBuffer, long[]> info(long rows, char order, DataType type) {
        long[] stride = order == 'c' ? new long[] {3, 1} : new long[] {1, rows};
        return shapes.createShapeInformation(new long[] {rows, 3}, stride, 1, order, type, false);
    }

    @Test
    void eachShapeIsMadeOnce() {
        var made = new HashSet<List<Long>>();
        for (long rows : new long[] {2, 5}) {
            for (char order : new char[] {'c', 'f'}) {
                for (DataType type : new DataType[] {DataType.FLOAT, DataType.BFLOAT16}) {
                    Pair<DataBuffer, long[]> info = info(rows, order, type);
                    assertSame(info, info(rows, order, type));
                    long[] values = info.getFirst().asLong();
                    assertArrayEquals(values, info.getSecond());
                    assertEquals(rows, values[1]);
                    made.add(Arrays.stream(values).boxed().toList());
                }
            }
        }
        assertEquals(8, made.size());
    }

    @Test
    void whatTheCallerDoesToItsArraysDoesNotMatter() {
        long[] shape = {2, 3};
        long[] stride = {3, 1};
        Pair<DataBuffer, long[]> info = shapes.createShapeInformation(shape, stride, 1, 'c', DataType.FLOAT, false);
        shape[0] = 7;
        stride[1] = 5;
        assertNotSame(info, shapes.createShapeInformation(shape, stride, 0, 'c', DataType.FLOAT, false));
        assertSame(info, info(2, 'c', DataType.FLOAT));
    }

    /** Shapes that come once do not drive out those that come again and again, nor stay for ever. */
    @Test
    void shapesInUseStay() {
        Pair<DataBuffer, long[]> used = info(1, 'c', DataType.FLOAT);
        Pair<DataBuffer, long[]> once = info(2, 'c', DataType.FLOAT);
        for (int rows = 3; rows < 3 + 2 * CachedShapes.MOST; rows++) {
            info(rows, 'c', DataType.FLOAT);
            assertSame(used, info(1, 'c', DataType.FLOAT));
        }
        assertNotSame(once, info(2, 'c', DataType.FLOAT));
        shapes.purgeCache();
        assertNotSame(used, info(1, 'c', DataType.FLOAT));
    }

    @Test
    void arraysOfOneShapeShareIt() {
        INDArray a = Nd4j.create(DataType.BFLOAT16, 4, 5);
        INDArray b = Nd4j.create(DataType.BFLOAT16, 4, 5).reshape(20).reshape(4, 5);
        assertSame(a.shapeInfoDataBuffer(), b.shapeInfoDataBuffer());
        a.close();
        assertEquals(4, b.shapeInfoDataBuffer().getLong(1));
        b.setShapeAndStride(new int[] {5, 4}, new int[] {4, 1});
        assertArrayEquals(
                new long[] {4, 5}, Nd4j.create(DataType.BFLOAT16, 4, 5).shape());
    }
}
