package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.dl4jsr.op.Autocast;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.blas.params.MMulTranspose;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** ND4J's matrix products against DOUBLE. */
class Nd4jMatmulTest {

    private final Random random = new Random(1);

    /** ND4J's own has 3.7e-2. */
    @Test
    void relativeErrorAtDepth1024() {
        INDArray x = Bf16Testing.random(random, 64, 1024);
        INDArray y = Bf16Testing.random(random, 1024, 64);
        INDArray expected = x.castTo(DataType.DOUBLE).mmul(y.castTo(DataType.DOUBLE));
        INDArray error = x.mmul(y).castTo(DataType.DOUBLE).subi(expected);
        assertTrue(error.norm2Number().doubleValue() / expected.norm2Number().doubleValue() < 0x1p-8);
    }

    @Test
    void anyLayoutTransposesAndFactors() {
        for (int trial = 0; trial < 300; trial++) {
            long m = 1 + random.nextInt(20);
            long k = 1 + random.nextInt(20);
            long n = 1 + random.nextInt(20);
            boolean transposeX = random.nextBoolean();
            boolean transposeY = random.nextBoolean();
            boolean transposeZ = random.nextInt(4) == 0;
            double alpha = random.nextInt(3) == 0 ? 0.5 : 1;
            double beta = random.nextInt(3) == 0 ? 0.75 : 0;
            INDArray x = transposeX ? Bf16Testing.randomLayout(random, k, m) : Bf16Testing.randomLayout(random, m, k);
            INDArray y = transposeY ? Bf16Testing.randomLayout(random, n, k) : Bf16Testing.randomLayout(random, k, n);
            INDArray z = transposeZ ? Bf16Testing.randomLayout(random, n, m) : Bf16Testing.randomLayout(random, m, n);
            INDArray expected = product(x, transposeX, y, transposeY);
            expected = (transposeZ ? expected.transpose() : expected)
                    .mul(alpha)
                    .add(z.castTo(DataType.DOUBLE).mul(beta));
            Nd4j.exec(new Mmul(
                    x,
                    y,
                    z,
                    alpha,
                    beta,
                    MMulTranspose.builder()
                            .transposeA(transposeX)
                            .transposeB(transposeY)
                            .transposeResult(transposeZ)
                            .build()));
            assertNear(expected, z);
        }
    }

    @Test
    void mmulOfAnyLayout() {
        for (int trial = 0; trial < 100; trial++) {
            long k = 1 + random.nextInt(9);
            INDArray x = Bf16Testing.randomLayout(random, 1 + random.nextInt(9), k);
            INDArray y = Bf16Testing.randomLayout(random, k, 1 + random.nextInt(9));
            INDArray expected = product(x, false, y, false);
            assertNear(expected, x.mmul(y));
            assertNear(expected, x.mmul(y, 'f'));
            assertNear(expected, x.mmuli(y, Bf16Testing.randomLayout(random, x.rows(), y.columns())));
            assertNear(expected, Nd4j.gemm(x, y, false, false));
        }
    }

    @Test
    void vectors() {
        INDArray x = Bf16Testing.random(random, 4, 6);
        INDArray six = Bf16Testing.random(random, 6);
        INDArray four = Bf16Testing.random(random, 4);
        INDArray column = six.castTo(DataType.DOUBLE).reshape(6, 1);
        assertNear(x.castTo(DataType.DOUBLE).mmul(column).reshape(4), x.mmul(six));
        assertNear(x.castTo(DataType.DOUBLE).mmul(column), x.mmul(six.reshape(6, 1)));
        INDArray row = four.castTo(DataType.DOUBLE).reshape(1, 4).mmul(x.castTo(DataType.DOUBLE));
        assertNear(row, four.reshape(1, 4).mmul(x));
        assertNear(row.reshape(6), Nd4j.matmul(four, x));
        INDArray dot = six.castTo(DataType.DOUBLE).reshape(1, 6).mmul(column);
        assertNear(dot, six.reshape(1, 6).mmul(six.reshape(6, 1)));
        INDArray view = Bf16Testing.random(random, 6, 3).getColumn(1);
        assertNear(
                x.castTo(DataType.DOUBLE)
                        .mmul(view.castTo(DataType.DOUBLE).reshape(6, 1))
                        .reshape(4),
                x.mmul(view));
    }

    @Test
    void batches() {
        INDArray a = Bf16Testing.random(random, 4, 5, 6);
        INDArray b = Bf16Testing.random(random, 4, 6, 7);
        assertBatches(a, b, false, false);
        assertBatches(Bf16Testing.random(random, 6, 4, 5).permute(1, 2, 0), b, false, false);
        assertBatches(Bf16Testing.random(random, 4, 6, 5), Bf16Testing.random(random, 4, 7, 6), true, true);
        INDArray u = Bf16Testing.random(random, 2, 3, 4, 5);
        INDArray v = Bf16Testing.random(random, 2, 3, 6, 5);
        assertBatches(u, v, false, true);
        assertBatches(Bf16Testing.random(random, 5, 4, 3, 2).permute(3, 2, 1, 0), v, false, true);
        assertBatches(Bf16Testing.random(random, 2, 4, 3, 5).permute(0, 2, 1, 3), v, false, true); // attention heads
    }

    @Test
    void gradients() {
        for (int flags = 0; flags < 4; flags++) {
            boolean transposeX = (flags & 1) != 0;
            boolean transposeY = (flags & 2) != 0;
            for (long[] batch : new long[][] {{}, {3}, {2, 3}}) {
                INDArray x = Bf16Testing.random(random, shape(batch, transposeX ? 6 : 4, transposeX ? 4 : 6));
                INDArray y = Bf16Testing.random(random, shape(batch, transposeY ? 5 : 6, transposeY ? 6 : 5));
                INDArray dz = Bf16Testing.random(random, shape(batch, 4, 5));
                INDArray[] expected = gradients(
                        x.castTo(DataType.DOUBLE),
                        y.castTo(DataType.DOUBLE),
                        dz.castTo(DataType.DOUBLE),
                        transposeX,
                        transposeY);
                INDArray[] got = gradients(x, y, dz, transposeX, transposeY);
                assertNear(expected[0], got[0]);
                assertNear(expected[1], got[1]);
            }
        }
    }

    @Test
    void tensorProducts() {
        INDArray x = Bf16Testing.random(random, 3, 4, 5);
        INDArray y = Bf16Testing.random(random, 4, 5, 6);
        int[][] axes = {{1, 2}, {0, 1}};
        INDArray expected = Nd4j.tensorMmul(x.castTo(DataType.DOUBLE), y.castTo(DataType.DOUBLE), axes);
        assertNear(expected, Nd4j.tensorMmul(x, y, axes));
        var op = DynamicCustomOp.builder("tensormmul")
                .addInputs(x, y)
                .addIntegerArguments(2, 1, 2, 2, 0, 1)
                .build();
        assertNear(expected, Nd4j.exec(op)[0]);
    }

    /** In and out of place, as ND4J allows it. */
    @Test
    void resultOverAnOperand() {
        INDArray x = Bf16Testing.random(random, 5, 5);
        INDArray y = Bf16Testing.random(random, 5, 5);
        INDArray expected = product(x, false, y, false);
        assertNear(expected, x.mmuli(y));
        INDArray buffer = Bf16Testing.random(random, 10, 5);
        INDArray top = buffer.get(NDArrayIndex.interval(0, 5));
        INDArray bottom = buffer.get(NDArrayIndex.interval(5, 10));
        INDArray next = product(top, false, y, false);
        Nd4j.gemm(top, y, bottom, false, false, 1, 0);
        assertNear(next, bottom);
    }

    @Test
    void autocastMultipliesFloatsInBFloat16() {
        INDArray x = Nd4j.rand(DataType.FLOAT, 20, 30);
        INDArray y = Nd4j.rand(DataType.FLOAT, 30, 10);
        INDArray exact = x.mmul(y);
        INDArray rounded = x.castTo(DataType.BFLOAT16)
                .castTo(DataType.FLOAT)
                .mmul(y.castTo(DataType.BFLOAT16).castTo(DataType.FLOAT));
        Autocast.setEnabled(true);
        try {
            INDArray autocast = x.mmul(y);
            assertEquals(DataType.FLOAT, autocast.dataType());
            assertTrue(autocast.equalsWithEps(rounded, 1e-4), "products of rounded operands");
            assertTrue(!autocast.equalsWithEps(exact, 1e-4));
            assertEquals(x.mul(y.sumNumber()), x.mul(y.sumNumber()), "all else stays FLOAT");
            assertEquals(
                    DataType.DOUBLE,
                    x.castTo(DataType.DOUBLE).mmul(y.castTo(DataType.DOUBLE)).dataType());
        } finally {
            Autocast.setEnabled(false);
        }
        assertEquals(exact, x.mmul(y));
    }

    private static long[] shape(long[] batch, long rows, long columns) {
        long[] shape = Arrays.copyOf(batch, batch.length + 2);
        shape[batch.length] = rows;
        shape[batch.length + 1] = columns;
        return shape;
    }

    private static INDArray[] gradients(INDArray x, INDArray y, INDArray dz, boolean transposeX, boolean transposeY) {
        return Nd4j.exec(DynamicCustomOp.builder("matmul_bp")
                .addInputs(x, y, dz)
                .addIntegerArguments(transposeX ? 1 : 0, transposeY ? 1 : 0, 0)
                .build());
    }

    private static void assertBatches(INDArray x, INDArray y, boolean transposeX, boolean transposeY) {
        assertNear(
                Nd4j.matmul(
                        x.castTo(DataType.DOUBLE).dup('c'),
                        y.castTo(DataType.DOUBLE).dup('c'),
                        transposeX,
                        transposeY,
                        false),
                Nd4j.matmul(x, y, transposeX, transposeY, false));
    }

    private static INDArray product(INDArray x, boolean transposeX, INDArray y, boolean transposeY) {
        INDArray a = x.castTo(DataType.DOUBLE);
        INDArray b = y.castTo(DataType.DOUBLE);
        return (transposeX ? a.transpose() : a).dup('c').mmul((transposeY ? b.transpose() : b).dup('c'));
    }

    /** Sums of at most 30 products of values under 1: one rounding to BF16, and FP32's error. */
    private static void assertNear(INDArray expected, INDArray got) {
        assertEquals(DataType.BFLOAT16, got.dataType());
        assertArrayEquals(expected.shape(), got.shape());
        double[] want = expected.dup('c').data().asDouble();
        double[] have = got.castTo(DataType.DOUBLE).dup('c').data().asDouble();
        for (int i = 0; i < want.length; i++) {
            assertEquals(want[i], have[i], Math.abs(want[i]) * 0x1p-8 + 1e-5);
        }
    }
}
