package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.dl4jsr.rounding.BFloat16;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.RelativeError;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Stabilize;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.BooleanIndexing;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.indexing.conditions.Conditions;

/** How numbers get into BF16 arrays and out of them. */
class Bf16NumbersTest {

    /** Nearest 1.0078125, truncated 1. */
    private static final float VALUE = 1.00585f;

    private final Random random = new Random(1);

    @Test
    void everyWayToPutANumberRounds() {
        INDArray x = Nd4j.create(DataType.BFLOAT16, 2, 3, 4, 5);
        x.putScalar(0L, VALUE);
        x.putScalar(1L, (double) VALUE);
        x.putScalar(new int[] {0, 0, 0, 2}, VALUE);
        x.putScalar(new int[] {0, 0, 0, 3}, (double) VALUE);
        x.putScalar(new long[] {0, 0, 0, 4}, VALUE);
        x.putScalar(new long[] {0, 0, 1, 0}, (double) VALUE);
        x.putScalar(0, 0, 1, 1, (double) VALUE);
        for (int i = 0; i < 7; i++) {
            assertEquals(nearest(VALUE), x.getFloat(i), "element " + i);
        }
        INDArray matrix = Nd4j.create(DataType.BFLOAT16, 3, 4);
        matrix.putScalar(1, 2, (double) VALUE);
        matrix.put(2, 3, VALUE);
        matrix.put(new int[] {0, 0}, Nd4j.scalar(VALUE));
        matrix.putRow(1, Nd4j.createFromArray(VALUE, VALUE, VALUE, VALUE));
        assertEquals(6 * nearest(VALUE), matrix.sumNumber().floatValue());
        matrix.get(NDArrayIndex.interval(0, 2), NDArrayIndex.all()).assign(0.996);
        assertEquals(nearest(0.996f), matrix.getFloat(1, 3));
    }

    @Test
    void everyWayToMakeAnArrayRounds() {
        float[] values = {VALUE, 0.3f, -0.7f};
        short[] expected = {BFloat16.fromFloat(VALUE), BFloat16.fromFloat(0.3f), BFloat16.fromFloat(-0.7f)};
        assertArrayEquals(
                expected, Bf16Testing.bits(Nd4j.createFromArray(values).castTo(DataType.BFLOAT16)));
        assertArrayEquals(
                expected,
                Bf16Testing.bits(Nd4j.createFromArray(VALUE, 0.3, -0.7).castTo(DataType.BFLOAT16)));
        assertArrayEquals(expected, Bf16Testing.bits(Nd4j.create(values, new long[] {3}, DataType.BFLOAT16)));
        assertArrayEquals(
                expected,
                Bf16Testing.bits(Nd4j.create(new double[] {VALUE, 0.3, -0.7}, new long[] {3}, DataType.BFLOAT16)));
        assertEquals(
                nearest(0.3f),
                Nd4j.valueArrayOf(new long[] {2, 2}, 0.3, DataType.BFLOAT16).getFloat(1, 1));
        assertEquals(
                nearest(0.3f),
                Nd4j.scalar(DataType.BFLOAT16, 0.3).castTo(DataType.FLOAT).getFloat(0),
                1e-7);
        Bf16Testing.assertComputesInFloat("linspace", a -> Nd4j.linspace(a[0].dataType(), 0.1, 0.013, 50), one());
        Bf16Testing.assertComputesInFloat("arange", a -> Nd4j.arange(0, 300).castTo(a[0].dataType()), one());
        Bf16Testing.assertComputesInFloat(
                "meshgrid",
                a -> Nd4j.meshgrid(a[0], a[1])[1],
                Bf16Testing.random(random, 3),
                Bf16Testing.random(random, 4));
        Nd4j.getRandom().setSeed(5);
        INDArray normal = Nd4j.randn(DataType.BFLOAT16, 100, 100);
        assertEquals(0, normal.meanNumber().doubleValue(), 0.05);
        assertEquals(1, normal.stdNumber().doubleValue(), 0.05);
        INDArray uniform = Nd4j.rand(DataType.BFLOAT16, 100, 100);
        assertEquals(0.5, uniform.meanNumber().doubleValue(), 0.02);
    }

    @Test
    void javaArrays() {
        INDArray x = Bf16Testing.random(random, 3, 4);
        INDArray wide = x.castTo(DataType.FLOAT);
        assertArrayEquals(wide.toFloatMatrix()[2], x.toFloatMatrix()[2]);
        assertArrayEquals(wide.toDoubleMatrix()[1], x.toDoubleMatrix()[1]);
        assertArrayEquals(wide.getRow(1).toFloatVector(), x.getRow(1).toFloatVector());
        assertArrayEquals(wide.getColumn(1).toDoubleVector(), x.getColumn(1).toDoubleVector());
        assertArrayEquals(wide.data().asDouble(), x.data().asDouble());
        assertEquals(wide.toString(), x.toString());
    }

    @Test
    void largeReductionsAccumulateInFloat() {
        INDArray x = Nd4j.ones(DataType.BFLOAT16, 300, 1000);
        assertEquals(300000, x.sumNumber().intValue());
        assertEquals(1, x.mean(0).getFloat(7));
        assertEquals(1000, x.sum(1).getFloat(299));
        assertEquals(0, x.var(1).getFloat(0));
        assertEquals(Math.sqrt(300000), x.norm2Number().doubleValue(), 1e-2);
        assertEquals(1000, x.cumsum(1).getFloat(3, 999));
        Bf16Testing.assertComputesInFloat("mean", a -> a[0].mean(1), Bf16Testing.random(random, 300, 1000));
        Bf16Testing.assertComputesInFloat("variance", a -> a[0].var(0), Bf16Testing.random(random, 300, 1000));
    }

    @Test
    void equality() {
        INDArray x = Bf16Testing.random(random, 50);
        INDArray y = x.dup();
        assertEquals(x, y);
        y.putScalar(7, x.getFloat(7) + 0.25f);
        assertNotEquals(x, y);
        assertTrue(x.equalsWithEps(y, 0.3));
        assertFalse(x.equalsWithEps(y, 0.2));
    }

    @Test
    void conditionsAndSorting() {
        INDArray x = Bf16Testing.random(random, 6, 8);
        Bf16Testing.assertComputesInFloat(
                "replace",
                a -> {
                    BooleanIndexing.replaceWhere(a[0], a[1], Conditions.greaterThan(0.2));
                    return a[0];
                },
                x.dup(),
                Bf16Testing.random(random, 6, 8));
        Bf16Testing.assertComputesInFloat("first", a -> BooleanIndexing.firstIndex(a[0], Conditions.lessThan(-0.5)), x);
        Bf16Testing.assertComputesInFloat("mask", a -> a[0].match(0.3, Conditions.greaterThan(0.3)), x);
        for (int dimension : new int[] {0, 1}) {
            for (boolean ascending : new boolean[] {true, false}) {
                Bf16Testing.assertComputesInFloat("sort", a -> Nd4j.sort(a[0].dup(), dimension, ascending), x);
            }
        }
        Bf16Testing.assertComputesInFloat("sort rows", a -> Nd4j.sortRows(a[0].dup(), 2, true), x);
        Bf16Testing.assertComputesInFloat("argMax", a -> a[0].argMax(), x);
        Bf16Testing.assertComputesInFloat("argMin", a -> Nd4j.argMin(a[0], 1), x);
        Bf16Testing.assertComputesInFloat("fmod", a -> a[0].fmod(0.3), x);
        Bf16Testing.assertComputesInFloat("median", a -> Nd4j.scalar(a[0].dataType(), a[0].medianNumber()), x);
    }

    @Test
    void movesPastTheExecutioner() {
        INDArray x = Bf16Testing.random(random, 6, 8);
        Bf16Testing.assertComputesInFloat("tear", a -> Nd4j.tear(a[0], 1)[3], x);
        Bf16Testing.assertComputesInFloat("tear of a view", a -> Nd4j.tear(a[0].transpose(), 1)[3], x);
        Bf16Testing.assertComputesInFloat(
                "shuffle",
                a -> {
                    Nd4j.shuffle(a[0], new Random(3), 1);
                    return a[0];
                },
                x.dup());
        Bf16Testing.assertComputesInFloat("pull rows", a -> Nd4j.pullRows(a[0], 0, new int[] {1, 3}), x);
        Bf16Testing.assertComputesInFloat("roll", a -> Nd4j.rollAxis(a[0], 1), x);
    }

    @Test
    void aGraphOfTheNativeLibraryIsRefused() {
        Throwable e = assertThrows(UnsupportedOperationException.class, () -> Nd4j.getExecutioner()
                .executeGraph(1, Map.of("weights", one()), Map.of("weights", 1)));
        assertTrue(e.getMessage().contains("weights"), e.getMessage());
    }

    @Test
    void files(@TempDir Path directory) throws IOException {
        INDArray x = Bf16Testing.random(random, 5, 7);
        var file = directory.resolve("x.bin").toFile();
        Nd4j.saveBinary(x, file);
        INDArray read = Nd4j.readBinary(file);
        assertEquals(DataType.BFLOAT16, read.dataType());
        assertArrayEquals(Bf16Testing.bits(x), Bf16Testing.bits(read));
    }

    /** NumPy has no BF16. */
    @Test
    void numPyIsRefused() {
        Throwable e = assertThrows(UnsupportedOperationException.class, () -> Nd4j.toNpyByteArray(one()));
        assertTrue(e.getMessage().contains("castTo(DataType.FLOAT)"), e.getMessage());
    }

    @Test
    void emptyArrays() {
        INDArray empty = Nd4j.create(DataType.BFLOAT16, 0, 3);
        assertTrue(empty.castTo(DataType.FLOAT).isEmpty());
        assertTrue(Nd4j.exec(DynamicCustomOp.builder("tanh").addInputs(empty).build())[0].isEmpty());
        assertEquals(0, empty.sum(0).sumNumber().doubleValue());
        assertEquals(
                2, Nd4j.concat(0, empty, Nd4j.ones(DataType.BFLOAT16, 2, 3)).rows());
    }

    @Test
    void whatCannotWorkIsRefused() {
        INDArray x = Bf16Testing.random(random, 30);
        INDArray[] operands = {x, Nd4j.zeros(DataType.INT32, 20)};
        for (String op :
                new String[] {"encode_threshold", "decode_threshold", "encode_bitmap", "decode_bitmap", "batched_gemm"
                }) {
            assertRefused(
                    "Op " + op + " cannot run on BFLOAT16 arrays, got [BFLOAT16, INT]; cast them to FLOAT and "
                            + "back around it",
                    () -> Nd4j.exec(DynamicCustomOp.builder(op)
                            .addInputs(operands)
                            .addFloatingPointArguments(1e-3)
                            .addIntegerArguments(1, 1, 1, 1, 1, 1, 1, 1, 1)
                            .addOutputs(x, Nd4j.zeros(DataType.INT32, 20), Nd4j.zeros(DataType.INT32, 20))
                            .build()));
        }
    }

    @Test
    void whatEndsTheProcessIsRefused() {
        INDArray x = Bf16Testing.random(random, 4);
        var operands = Map.<String, Executable>of(
                "set_shape: [BFLOAT16, INT]",
                        () -> Nd4j.exec(DynamicCustomOp.builder("set_shape")
                                .addInputs(x, Nd4j.createFromArray(2, 2))
                                .addOutputs(x.dup())
                                .build()),
                "RelativeError: [BFLOAT16, BFLOAT16]", () -> Nd4j.exec(new RelativeError(x, x.dup())),
                "stabilize: [BFLOAT16]", () -> Nd4j.exec(new Stabilize(x, 1)));
        operands.forEach((types, execution) -> assertRefused(
                "Op " + types.replace(": ", " corrupts memory or ends the " + "process, in FLOAT, too, got ")
                        + "; use other ops",
                execution));
    }

    private static void assertRefused(String message, Executable execution) {
        Throwable e = assertThrows(RuntimeException.class, execution);
        while (e.getCause() != null) {
            e = e.getCause();
        }
        assertEquals(message, e.getMessage());
    }

    /** Of another length in another type. */
    @Test
    void bitcast() {
        INDArray x = Bf16Testing.random(random, 4, 6);
        INDArray bits = Nd4j.exec(DynamicCustomOp.builder("bitcast")
                .addInputs(x)
                .addIntegerArguments(DataType.INT16.toInt())
                .build())[0];
        short[] expected = Bf16Testing.bits(x);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], (short) bits.getInt(i / 6, i % 6));
        }
    }

    private static INDArray one() {
        return Nd4j.ones(DataType.BFLOAT16, 1);
    }

    private static float nearest(float value) {
        return BFloat16.toFloat(BFloat16.fromFloat(value));
    }
}
