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
    void subtractsFromAViewWithStochasticRounding() {
        INDArray all = random(DataType.BFLOAT16, LENGTH + 5, 1);
        float[] before = all.castTo(DataType.FLOAT).data().asFloat();
        INDArray update = random(DataType.FLOAT, LENGTH, 2).mul(1e-2);
        Nd4j.exec(new SrSubtract(all.get(NDArrayIndex.interval(3, 3 + LENGTH)), update, 11, 5, 100));
        float[] after = all.castTo(DataType.FLOAT).data().asFloat();
        for (int i = 0; i < before.length; i++) {
            float expected = before[i];
            if (i >= 3 && i < 3 + LENGTH) {
                expected = BFloat16.toFloat(StochasticRounding.round(
                        before[i] - update.getFloat(i - 3),
                        StochasticRounding.randomBits(11, 5, 100 + i - 3, StochasticRounding.WEIGHT_STREAM)));
            }
            assertEquals(expected, after[i], 0, "element " + i);
        }
    }

    @Test
    void wrongArraysAreNamed() {
        INDArray x = bf16(8);
        assertNamed("update is BFLOAT16 [7], expected BFLOAT16 [8]", () -> new SrSubtract(x, bf16(7), 0, 0, 0));
        assertNamed(
                "weights is FLOAT [8], expected BFLOAT16 [8]",
                () -> new SrSubtract(Nd4j.zeros(DataType.FLOAT, 8), x, 0, 0, 0));
        assertNamed(
                "weights has shape [4] and strides [2]",
                () -> new SrSubtract(x.get(NDArrayIndex.interval(0, 2, 8)), bf16(4), 0, 0, 0));
        assertNamed("Array of type DOUBLE", () -> new SrSubtract(x, Nd4j.zeros(DataType.DOUBLE, 8), 0, 0, 0));
        assertNamed("source is BFLOAT16 [8], expected FLOAT [8]", () -> new SrAssign(x, x, 0, 0, 0));
    }

    private static void assertNamed(String text, Executable construction) {
        var error = assertThrows(IllegalArgumentException.class, construction);
        assertTrue(error.getMessage().contains(text), error::getMessage);
    }
}
