package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.function.Function;
import org.bytedeco.javacpp.ShortPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** What the tests of BF16 arrays share. */
final class Bf16Testing {

    private Bf16Testing() {}

    /** Uniform in [-1, 1), rounded to BF16. */
    static INDArray random(Random random, long... shape) {
        float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return Nd4j.createFromArray(values).reshape(shape).castTo(DataType.BFLOAT16);
    }

    /** An array of this shape laid out in one of the ways that ND4J knows: 'c', 'f', and views with gaps. */
    static INDArray randomLayout(Random random, long rows, long columns) {
        return switch (random.nextInt(6)) {
            case 0 -> random(random, rows, columns);
            case 1 -> random(random, rows, columns).dup('f');
            case 2 -> random(random, rows + 3, columns + 2)
                    .get(NDArrayIndex.interval(2, 2 + rows), NDArrayIndex.interval(1, 1 + columns));
            case 3 -> random(random, columns + 2, rows + 3)
                    .transpose()
                    .get(NDArrayIndex.interval(2, 2 + rows), NDArrayIndex.interval(1, 1 + columns));
            case 4 -> random(random, rows, columns, 3)
                    .get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(1));
            default -> random(random, rows * columns + 5)
                    .get(NDArrayIndex.interval(5, 5 + rows * columns))
                    .reshape(rows, columns);
        };
    }

    /** The bits of the elements in 'c' order, any NaN as 0x7FC0. */
    static short[] values(INDArray array) {
        short[] bits = bits(array);
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (bits[i] & 0x7FFF) > 0x7F80 ? 0x7FC0 : bits[i];
        }
        return bits;
    }

    /** The bits of the elements of a BF16 array in 'c' order. */
    static short[] bits(INDArray array) {
        assertEquals(DataType.BFLOAT16, array.dataType());
        INDArray dense = array.dup('c');
        short[] bits = new short[(int) array.length()];
        new ShortPointer(dense.data().addressPointer()).get(bits);
        return bits;
    }

    /**
     * Requires of {@code op} that on BF16 arrays it gives what it gives on FLOAT copies of them, rounded once. The op
     * may write to its arguments: they are compared, too.
     */
    static void assertComputesInFloat(String name, Function<INDArray[], INDArray> op, INDArray... arguments) {
        INDArray[] narrow = new INDArray[arguments.length];
        INDArray[] wide = new INDArray[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            boolean bf16 = arguments[i].dataType() == DataType.BFLOAT16;
            narrow[i] = arguments[i];
            wide[i] = bf16 ? arguments[i].castTo(DataType.FLOAT) : arguments[i].dup();
        }
        INDArray expected = op.apply(wide);
        INDArray got = op.apply(narrow);
        assertSame(name, expected, got);
        for (int i = 0; i < arguments.length; i++) {
            assertSame(name + ", argument " + i, wide[i], narrow[i]);
        }
    }

    private static void assertSame(String name, INDArray expected, INDArray got) {
        assertArrayEquals(expected.shape(), got.shape(), name);
        if (expected.dataType() != DataType.FLOAT) {
            assertEquals(expected, got, name);
            return;
        }
        assertEquals(DataType.BFLOAT16, got.dataType(), name);
        if (!expected.isEmpty()) {
            assertArrayEquals(values(expected.castTo(DataType.BFLOAT16)), values(got), name);
        }
    }
}
