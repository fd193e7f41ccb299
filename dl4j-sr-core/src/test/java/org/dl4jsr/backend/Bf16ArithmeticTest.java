package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.dl4jsr.rounding.BFloat16;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Sums, means, norms and scalars, which stock ND4J gets wrong in BF16. */
class Bf16ArithmeticTest {

    private final Random random = new Random(1);

    @Test
    void sumsAccumulateInFloat() {
        INDArray ones = Nd4j.ones(DataType.BFLOAT16, 4096);
        assertEquals(4096, ones.sumNumber().doubleValue());
        assertEquals(1, ones.meanNumber().doubleValue());
        assertEquals(64, ones.norm2Number().doubleValue());
        assertEquals(4096, ones.norm1Number().doubleValue());
        assertEquals(4096, ones.reshape(4096, 1).sum(0).getDouble(0));
        assertEquals(4096, Transforms.dot(ones, ones).getDouble(0));
    }

    /** As scores are: a BF16 would be 1234.0 or 1236.0 here. */
    @Test
    void numbersAreNotRounded() {
        INDArray x = Nd4j.ones(DataType.BFLOAT16, 1235);
        assertEquals(1235, x.sumNumber().doubleValue());
        INDArray y = Bf16Testing.random(random, 3000);
        INDArray wide = y.castTo(DataType.FLOAT);
        assertEquals(wide.meanNumber(), y.meanNumber());
        assertEquals(wide.stdNumber(), y.stdNumber());
        double norm = wide.norm2Number().doubleValue();
        INDArray matrix = y.reshape(30, 100);
        INDArray columns = Nd4j.hstack(matrix, matrix).get(NDArrayIndex.all(), NDArrayIndex.interval(0, 100));
        for (INDArray layout : new INDArray[] {y, matrix.dup('f'), columns}) {
            assertEquals(norm, layout.norm2Number().doubleValue(), 1e-5 * norm);
        }
        INDArray sum = x.sum();
        assertEquals(BFloat16.fromFloat(1235), Bf16Testing.bits(sum)[0]);
        assertEquals(2470, sum.addi(sum).getDouble(0), 8, "once changed, what is stored counts");
    }

    @Test
    void scalarsAreExact() {
        for (int trial = 0; trial < 20; trial++) {
            INDArray x = Bf16Testing.randomLayout(random, 1 + random.nextInt(9), 1 + random.nextInt(9));
            double scalar = random.nextGaussian();
            Bf16Testing.assertComputesInFloat("mul", a -> a[0].mul(scalar), x);
            Bf16Testing.assertComputesInFloat("muli", a -> a[0].muli(0.999), x);
            Bf16Testing.assertComputesInFloat("addi", a -> a[0].addi(scalar), x);
            Bf16Testing.assertComputesInFloat("rsub", a -> a[0].rsub(scalar), x);
            Bf16Testing.assertComputesInFloat("rdiv", a -> a[0].rdiv(scalar), x);
            Bf16Testing.assertComputesInFloat("subi", a -> a[0].subi(scalar), x);
            Bf16Testing.assertComputesInFloat("gt", a -> a[0].gt(scalar), x);
            Bf16Testing.assertComputesInFloat("max", a -> Transforms.max(a[0], scalar), x);
            Bf16Testing.assertComputesInFloat("pow", a -> Transforms.pow(a[0], 3), x);
        }
        INDArray one = Nd4j.ones(DataType.BFLOAT16, 1);
        assertEquals(
                BFloat16.toFloat(BFloat16.fromFloat(0.996f)), one.mul(0.996).getFloat(0));
    }

    @Test
    void reductionsAlongDimensions() {
        for (int trial = 0; trial < 20; trial++) {
            INDArray x = Bf16Testing.randomLayout(random, 2 + random.nextInt(30), 2 + random.nextInt(30));
            INDArray y = Bf16Testing.random(random, x.shape());
            for (int dimension : new int[] {0, 1}) {
                Bf16Testing.assertComputesInFloat("sum", a -> a[0].sum(dimension), x);
                Bf16Testing.assertComputesInFloat("sum, keep", a -> a[0].sum(true, dimension), x);
                Bf16Testing.assertComputesInFloat("mean", a -> a[0].mean(dimension), x);
                Bf16Testing.assertComputesInFloat("std", a -> a[0].std(dimension), x);
                Bf16Testing.assertComputesInFloat("var", a -> a[0].var(dimension), x);
                Bf16Testing.assertComputesInFloat("norm2", a -> a[0].norm2(dimension), x);
                Bf16Testing.assertComputesInFloat("norm1", a -> a[0].norm1(dimension), x);
                Bf16Testing.assertComputesInFloat("max", a -> a[0].max(dimension), x);
                Bf16Testing.assertComputesInFloat("prod", a -> a[0].prod(dimension), x);
                Bf16Testing.assertComputesInFloat("argMax", a -> a[0].argMax(dimension), x);
                Bf16Testing.assertComputesInFloat("cumsum", a -> a[0].cumsum(dimension), x);
                Bf16Testing.assertComputesInFloat(
                        "cosine", a -> Transforms.allCosineSimilarities(a[0], a[1], dimension), x, y);
            }
        }
    }

    @Test
    void blas() {
        INDArray x = Bf16Testing.random(random, 1000);
        INDArray y = Bf16Testing.random(random, 1000);
        INDArray wideX = x.castTo(DataType.FLOAT);
        INDArray wideY = y.castTo(DataType.FLOAT);
        var blas = Nd4j.getBlasWrapper();
        assertEquals(blas.dot(wideX, wideY), blas.dot(x, y));
        INDArray product = x.reshape(1, 1000).mmul(y.reshape(1000, 1));
        assertEquals(BFloat16.fromFloat((float) blas.dot(wideX, wideY)), Bf16Testing.bits(product)[0]);
        assertEquals(blas.nrm2(wideX), blas.nrm2(x));
        assertEquals(blas.asum(wideX), blas.asum(x));
        assertEquals(blas.iamax(wideX), blas.iamax(x));
        Bf16Testing.assertComputesInFloat(
                "axpy",
                a -> {
                    blas.level1().axpy(1000, 0.3, a[0], a[1]);
                    return a[1];
                },
                x,
                y);
        Bf16Testing.assertComputesInFloat(
                "scal",
                a -> {
                    blas.level1().scal(1000, 0.3, a[0]);
                    return a[0];
                },
                x);
        Bf16Testing.assertComputesInFloat(
                "swap",
                a -> {
                    blas.level1().swap(a[0], a[1]);
                    return a[0];
                },
                x,
                y);
        Bf16Testing.assertComputesInFloat(
                "copy",
                a -> {
                    blas.level1().copy(a[0], a[1]);
                    return a[1];
                },
                x,
                y);
        Bf16Testing.assertComputesInFloat(
                "ger",
                a -> {
                    blas.level2().ger('c', 0.5, a[0], a[1], a[2]);
                    return a[2];
                },
                Bf16Testing.random(random, 3),
                Bf16Testing.random(random, 4),
                Bf16Testing.random(random, 3, 4).dup('f'));
        Bf16Testing.assertComputesInFloat(
                "gemv",
                a -> {
                    blas.level2().gemv('c', 'N', 1, a[0], a[1], 0, a[2]);
                    return a[2];
                },
                Nd4j.ones(DataType.BFLOAT16, 3, 4),
                Bf16Testing.random(random, 4).muli(8),
                Bf16Testing.random(random, 3));
        assertThrows(UnsupportedOperationException.class, () -> blas.level1().copy(3, x.data(), 0, 1, y.data(), 0, 1));
    }

    @Test
    void averagesAndSumsOfArrays() {
        INDArray[] arrays = {
            Bf16Testing.random(random, 3, 4), Bf16Testing.random(random, 3, 4), Bf16Testing.random(random, 3, 4)
        };
        Bf16Testing.assertComputesInFloat("average", a -> Nd4j.averageAndPropagate(a), arrays);
        Bf16Testing.assertComputesInFloat("average to", a -> Nd4j.averageAndPropagate(a[0].dup(), List.of(a)), arrays);
        Bf16Testing.assertComputesInFloat("accumulate", a -> Nd4j.accumulate(a[0].dup(), a), arrays);
        assertEquals(
                3,
                Nd4j.accumulate(arrays[0].assign(1), arrays[1].assign(1), arrays[2].assign(1))
                        .getDouble(5));
    }

    /** ND4J's native code for these is kept: it must round each element once. Over all pairs of 256 values. */
    @Test
    void whatStaysNativeRoundsOnce() {
        short[] someBits = new short[256];
        for (int i = 0; i < 256; i++) {
            someBits[i] = (short) (i * 257 + random.nextInt(200));
        }
        float[] left = new float[65536];
        float[] right = new float[65536];
        for (int i = 0; i < 65536; i++) {
            left[i] = BFloat16.toFloat(someBits[i >> 8]);
            right[i] = BFloat16.toFloat(someBits[i & 255]);
        }
        INDArray x = Nd4j.createFromArray(left).castTo(DataType.BFLOAT16);
        INDArray y = Nd4j.createFromArray(right).castTo(DataType.BFLOAT16);
        Bf16Testing.assertComputesInFloat("add", a -> a[0].add(a[1]), x, y);
        Bf16Testing.assertComputesInFloat("sub", a -> a[0].sub(a[1]), x, y);
        Bf16Testing.assertComputesInFloat("mul", a -> a[0].mul(a[1]), x, y);
        Bf16Testing.assertComputesInFloat("div", a -> a[0].div(a[1]), x, y);
        Bf16Testing.assertComputesInFloat("rsub", a -> a[0].rsub(a[1]), x, y);
        Bf16Testing.assertComputesInFloat("rdiv", a -> a[0].rdiv(a[1]), x, y);
        Bf16Testing.assertComputesInFloat("neg", a -> a[0].neg(), x);
        Bf16Testing.assertComputesInFloat("abs", a -> Transforms.abs(a[0]), x);
        INDArray matrix = x.reshape(256, 256);
        INDArray row = y.reshape(256, 256).getRow(0);
        Bf16Testing.assertComputesInFloat("addRow", a -> a[0].addRowVector(a[1]), matrix, row);
        Bf16Testing.assertComputesInFloat("subRow", a -> a[0].subRowVector(a[1]), matrix, row);
        Bf16Testing.assertComputesInFloat("mulRow", a -> a[0].mulRowVector(a[1]), matrix, row);
        Bf16Testing.assertComputesInFloat("divRow", a -> a[0].divRowVector(a[1]), matrix, row);
        INDArray column = y.reshape(256, 256).getColumn(3).reshape(256, 1);
        Bf16Testing.assertComputesInFloat("add, broadcast", a -> a[0].add(a[1]), matrix, column);
        Bf16Testing.assertComputesInFloat("addi f", a -> a[0].addi(a[1]), matrix.dup('f'), matrix);
    }

    @Test
    void mixedTypes() {
        INDArray x = Bf16Testing.random(random, 5, 6);
        INDArray wide = Nd4j.rand(DataType.FLOAT, 5, 6);
        assertEquals(DataType.FLOAT, wide.add(x).dataType());
        assertEquals(wide.add(x.castTo(DataType.FLOAT)), wide.add(x));
        short[] expected =
                Bf16Testing.values(x.castTo(DataType.FLOAT).addi(wide).castTo(DataType.BFLOAT16));
        assertArrayEquals(expected, Bf16Testing.values(x.addi(wide)));
        assertTrue(wide.mmul(x.castTo(DataType.FLOAT).transpose()).isR());
    }
}
