package org.dl4jsr.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.StochasticRounding;
import org.dl4jsr.rounding.WeightWrite;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
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

    private static OptimizerStep step(WeightWrite write) {
        return AdamW.step(0.01, 0.9, 0.95, 1e-8, 0.1, 0.5, write, StateRounding.STOCHASTIC, 3, 7);
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
    void sumsSquaresOfViewsAndFindsWhatIsNotFinite() {
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.BFLOAT16}) {
            INDArray x = random(type, LENGTH, 3);
            INDArray view = x.get(NDArrayIndex.interval(1, LENGTH));
            double expected = 0;
            for (int i = 1; i < LENGTH; i++) {
                expected += Math.pow(x.getDouble(i), 2);
            }
            assertEquals(expected, SumOfSquares.of(view), 1e-12 * expected);
            x.putScalar(LENGTH / 2, Double.POSITIVE_INFINITY);
            assertFalse(Double.isFinite(SumOfSquares.of(view)));
            x.putScalar(LENGTH / 2, Double.NaN);
            assertFalse(Double.isFinite(SumOfSquares.of(view)));
        }
    }

    /** A range in two ops is the range in one: what a step does to an element depends on nothing but the element. */
    @ParameterizedTest
    @EnumSource(WeightWrite.class)
    void aStepMayBeCutAnywhere(WeightWrite write) {
        int state = write == WeightWrite.MASTER ? 2 : 1;
        INDArray gradient = random(DataType.BFLOAT16, LENGTH, 4);
        INDArray[] whole = {
            random(DataType.BFLOAT16, LENGTH, 5), bf16(state * LENGTH), bf16(state * LENGTH), bf16(state * LENGTH)
        };
        var cut = new INDArray[4];
        for (int i = 0; i < 4; i++) {
            cut[i] = whole[i].dup();
        }
        var once = new StepStatistics();
        var twice = new StepStatistics();
        run(write, whole, gradient, 0, LENGTH, once);
        run(write, cut, gradient, 0, 13, twice);
        run(write, cut, gradient, 13, LENGTH, twice);
        for (int i = 0; i < 4; i++) {
            assertArrayEquals(
                    whole[i].castTo(DataType.FLOAT).data().asFloat(),
                    cut[i].castTo(DataType.FLOAT).data().asFloat());
        }
        assertEquals(LENGTH, twice.weights);
        assertEquals(once.moved, twice.moved);
        assertEquals(once.stagnant, twice.stagnant);
        assertTrue(once.moved > 0);
    }

    private static void run(
            WeightWrite write, INDArray[] arrays, INDArray gradient, int start, int end, StepStatistics statistics) {
        int state = write == WeightWrite.MASTER ? 2 : 1;
        var range = NDArrayIndex.interval(start, end);
        var stateRange = NDArrayIndex.interval(state * start, state * end);
        Nd4j.exec(new SrAdamStep(
                step(write),
                start,
                arrays[0].get(range),
                gradient.get(range),
                arrays[1].get(stateRange),
                arrays[2].get(stateRange),
                write == WeightWrite.KAHAN || write == WeightWrite.MASTER ? arrays[3].get(stateRange) : null,
                statistics));
    }

    @Test
    void wrongArraysAreNamed() {
        INDArray x = bf16(8);
        assertNamed(
                "gradient is FLOAT [8], expected BFLOAT16 [8]",
                WeightWrite.STOCHASTIC,
                x,
                Nd4j.zeros(DataType.FLOAT, 8),
                x,
                x,
                null);
        assertNamed("v is BFLOAT16 [7], expected BFLOAT16 [8]", WeightWrite.STOCHASTIC, x, x, x, bf16(7), null);
        assertNamed("m is BFLOAT16 [8], expected BFLOAT16 [16]", WeightWrite.MASTER, x, x, x, x, x);
        assertNamed("extra is BFLOAT16 [16], expected BFLOAT16 [8]", WeightWrite.KAHAN, x, x, x, x, bf16(16));
        assertNamed("extra is null", WeightWrite.KAHAN, x, x, x, x, null);
        assertNamed(
                "weights has shape [4] and strides [2]",
                WeightWrite.STOCHASTIC,
                bf16(8).get(NDArrayIndex.interval(0, 2, 8)),
                bf16(4),
                bf16(4),
                bf16(4),
                null);
        INDArray doubles = Nd4j.zeros(DataType.DOUBLE, 8);
        assertNamed("Array of type DOUBLE", WeightWrite.STOCHASTIC, doubles, doubles, doubles, doubles, null);
        assertThrows(IllegalArgumentException.class, () -> new SrSubtract(x, bf16(7), 0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new SrSubtract(Nd4j.zeros(DataType.FLOAT, 8), x, 0, 0, 0));
    }

    private static void assertNamed(
            String text,
            WeightWrite write,
            INDArray weights,
            INDArray gradient,
            INDArray m,
            INDArray v,
            INDArray extra) {
        var error = assertThrows(
                IllegalArgumentException.class,
                () -> new SrAdamStep(step(write), 0, weights, gradient, m, v, extra, null));
        assertTrue(error.getMessage().contains(text), error::getMessage);
    }
}
