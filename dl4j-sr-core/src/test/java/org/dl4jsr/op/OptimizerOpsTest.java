package org.dl4jsr.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.rounding.StochasticRounding;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class OptimizerOpsTest {

    private static final int LENGTH = 37;

    private static INDArray random(DataType type, int length, int seed) {
        var random = new Random(seed);
        var values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = BFloat16.toFloat(BFloat16.fromFloat((float) random.nextGaussian()));
        }
        return Nd4j.createFromArray(values).castTo(type);
    }

    private static INDArray bf16(int length) {
        return Nd4j.zeros(DataType.BFLOAT16, length);
    }

    @Test
    void writesToAViewWithStochasticRounding() {
        INDArray all = random(DataType.BFLOAT16, LENGTH + 5, 1);
        float[] before = all.castTo(DataType.FLOAT).data().asFloat();
        INDArray source = random(DataType.FLOAT, LENGTH, 2).mul(1e-2);
        Nd4j.exec(new SrAssign(all.get(NDArrayIndex.interval(3, 3 + LENGTH)), source, 11, 5, 100));
        float[] after = all.castTo(DataType.FLOAT).data().asFloat();
        for (int i = 0; i < before.length; i++) {
            float expected = before[i];
            if (i >= 3 && i < 3 + LENGTH) {
                expected = BFloat16.toFloat(StochasticRounding.round(
                        source.getFloat(i - 3),
                        StochasticRounding.randomBits(11, 5, 100 + i - 3, StochasticRounding.WEIGHT_STREAM)));
            }
            assertEquals(expected, after[i], 0, "element " + i);
        }
    }

    @Test
    void wrongArraysAreNamed() {
        INDArray x = bf16(8);
        INDArray wide = Nd4j.zeros(DataType.FLOAT, 8);
        INDArray half = Nd4j.zeros(DataType.FLOAT, 4);
        assertNamed("source is FLOAT [4], expected FLOAT [8]", () -> new SrAssign(x, half, 0, 0, 0));
        assertNamed("target is FLOAT [8], expected BFLOAT16 [8]", () -> new SrAssign(wide, wide, 0, 0, 0));
        assertNamed(
                "target has shape [4] and strides [2]",
                () -> new SrAssign(x.get(NDArrayIndex.interval(0, 2, 8)), half, 0, 0, 0));
        assertNamed("source is BFLOAT16 [8], expected FLOAT [8]", () -> new SrAssign(x, x, 0, 0, 0));
    }

    private static void assertNamed(String text, Executable construction) {
        var error = assertThrows(IllegalArgumentException.class, construction);
        assertTrue(error.getMessage().contains(text), error::getMessage);
    }
}
