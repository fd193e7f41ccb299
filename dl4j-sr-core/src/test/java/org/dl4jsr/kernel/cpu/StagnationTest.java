package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.kernel.reference.TestArray;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Why stochastic rounding: updates under half an ulp are lost by rounding to nearest, and kept on average by stochastic
 * rounding. A write adds at most ulp * |update| to the variance; the bounds below are 5 standard errors by that.
 */
@Tag("slow")
class StagnationTest {

    private static final int WEIGHTS = 4096;

    private final Kernels kernels = CpuKernels.ofLevel(null, 0).kernels();

    /** w = 1, plus 1e-3, 1000 times: an ulp there is 2^-7. Bound: 5 sqrt(2^-6 * 1e-3 * 1000 / 4096) = 0.0098. */
    @Test
    void smallSteps() {
        var weights = filled(FloatType.BFLOAT16, WEIGHTS, 1);
        var update = filled(FloatType.FLOAT, WEIGHTS, -1e-3);
        var nearest = filled(FloatType.BFLOAT16, 1, 1);
        var sum = filled(FloatType.FLOAT, 1, 0);
        for (int step = 0; step < 1000; step++) {
            kernels.stochasticSubtract(weights.address(), FloatType.FLOAT, update.address(), WEIGHTS, 11, step, 0);
            sum.set(0, nearest.get(0) + 1e-3);
            kernels.toBFloat16(sum.address(), nearest.address(), 1);
        }
        assertEquals(1.0, nearest.get(0));
        assertEquals(2.0, mean(weights), 0.0098);
    }

    /**
     * Weight decay of 6e-5 a step, 100,000 steps: 1 shrinks to exp(-6). The relative variance grows by at most
     * 2^-7 * 6e-5 a step, to 0.048. Bound: 5 sqrt(0.048 / 1024) = 3.5% of exp(-6).
     */
    @Test
    void weightDecay() {
        double expected = Math.pow(1 - 6e-5, 100_000);
        assertEquals(expected, mean(decayed(WeightWrite.STOCHASTIC, 1024)), 0.035 * expected);
        assertEquals(1.0, mean(decayed(WeightWrite.NEAREST, 16)));
        assertEquals(expected, mean(decayed(WeightWrite.KAHAN, 16)), 0.035 * expected);
        assertEquals(expected, mean(decayed(WeightWrite.MASTER, 16)), 0.005 * expected);
    }

    private TestArray decayed(WeightWrite write, int length) {
        var state = write == WeightWrite.MASTER ? FloatType.FLOAT : FloatType.BFLOAT16;
        var weights = filled(FloatType.BFLOAT16, length, 1);
        var gradient = filled(FloatType.BFLOAT16, length, 0);
        var m = filled(state, length, 0);
        var v = filled(state, length, 0);
        var extra = filled(state, length, write == WeightWrite.MASTER ? 1 : 0);
        var arrays = new OptimizerArrays(
                FloatType.BFLOAT16,
                weights.address(),
                gradient.address(),
                new long[] {m.address(), v.address()},
                extra.address(),
                length,
                0);
        for (int step = 0; step < 100_000; step++) {
            kernels.step(
                    new OptimizerStep(
                            AdamW.of(0.9, 0.95, 1e-8, step), 6e-4f, 0.1f, 1, write, StateRounding.STOCHASTIC, 3, step),
                    arrays,
                    null);
        }
        return weights;
    }

    /**
     * v with gradient 1 and beta2 = 0.999 goes from 0 to 1. To nearest it stalls where 0.001 (1 - v) is half an ulp, at
     * 0.25. Stochastically it ends at 1 - 0.999^10000; the state of its random walk (standard deviation below 0.002)
     * leaves the mean of 1024 far within 0.001.
     */
    @Test
    void secondMoment() {
        assertEquals(0.25, mean(secondMoments(StateRounding.NEAREST)));
        assertEquals(1 - Math.pow(0.999, 10_000), mean(secondMoments(StateRounding.STOCHASTIC)), 0.001);
    }

    private TestArray secondMoments(StateRounding rounding) {
        int length = 1024;
        var weights = filled(FloatType.BFLOAT16, length, 1);
        var gradient = filled(FloatType.BFLOAT16, length, 1);
        var m = filled(FloatType.BFLOAT16, length, 0);
        var v = filled(FloatType.BFLOAT16, length, 0);
        var arrays = new OptimizerArrays(
                FloatType.BFLOAT16,
                weights.address(),
                gradient.address(),
                new long[] {m.address(), v.address()},
                0,
                length,
                0);
        for (int step = 0; step < 10_000; step++) {
            kernels.step(
                    new OptimizerStep(
                            AdamW.of(0.9, 0.999, 1e-8, step), 1e-4f, 0, 1, WeightWrite.STOCHASTIC, rounding, 5, step),
                    arrays,
                    null);
        }
        return v;
    }

    /**
     * A constant gradient of 0.7 at beta1 = 0.99 moves a weight by the learning rate a step, in FP32: by 1 in 1000
     * steps. To nearest m stalls where 0.01 (0.7 - m) is half an ulp, at 0.51. Bound: 5 sqrt(2^-8 / 4096) = 0.0049 for
     * the weight's own rounding, and 0.001 for that of m and v, whose error of 2% is new every 100 steps or so.
     */
    @Test
    void constantGradient() {
        assertEquals(-1.0, travelled(FloatType.FLOAT, StateRounding.STOCHASTIC), 1e-3);
        assertEquals(-1.0, travelled(FloatType.BFLOAT16, StateRounding.STOCHASTIC), 0.0059);
        assertEquals(-0.75, travelled(FloatType.BFLOAT16, StateRounding.NEAREST), 0.1);
    }

    private double travelled(FloatType type, StateRounding rounding) {
        var state = new State(type, 0, 0.7);
        for (int step = 0; step < 1000; step++) {
            state.step(1e-3, 0.99, 0.95, rounding, step);
        }
        return mean(state.weights);
    }

    /**
     * m at beta1 = 0.999 after 100 steps of gradient 0.7 and 10,000 of gradient 0 is 0.999^10000 of what it was; to
     * nearest it stays. The relative variance grows by at most 2^-7 * 0.001 a step, to 0.08. Bound:
     * 5 sqrt(0.08 / 4096) = 2.2%.
     */
    @Test
    void firstMomentDecays() {
        double start = 0.7 * (1 - Math.pow(0.999, 100));
        double end = start * Math.pow(0.999, 10_000);
        assertEquals(end, decayedMoment(StateRounding.STOCHASTIC), 0.022 * end);
        assertTrue(decayedMoment(StateRounding.NEAREST) > 0.5 * start);
    }

    private double decayedMoment(StateRounding rounding) {
        var state = new State(FloatType.BFLOAT16, 0, 0.7);
        for (int step = 0; step < 10_100; step++) {
            if (step == 100) {
                state.gradient = filled(FloatType.BFLOAT16, WEIGHTS, 0);
            }
            state.step(0, 0.999, 0.95, rounding, step);
        }
        return mean(state.m);
    }

    /** Weights under AdamW with equal gradients. */
    private final class State {

        final FloatType type;
        final TestArray weights;
        final TestArray m;
        final TestArray v;
        TestArray gradient;

        State(FloatType type, double weight, double gradient) {
            this.type = type;
            weights = filled(type, WEIGHTS, weight);
            m = filled(type, WEIGHTS, 0);
            v = filled(type, WEIGHTS, 0);
            this.gradient = filled(type, WEIGHTS, gradient);
        }

        void step(double learningRate, double beta1, double beta2, StateRounding rounding, int step) {
            kernels.step(
                    new OptimizerStep(
                            AdamW.of(beta1, beta2, 1e-8, step),
                            (float) learningRate,
                            0,
                            1,
                            WeightWrite.STOCHASTIC,
                            rounding,
                            5,
                            step),
                    new OptimizerArrays(
                            type,
                            weights.address(),
                            gradient.address(),
                            new long[] {m.address(), v.address()},
                            0,
                            WEIGHTS,
                            0),
                    null);
        }
    }

    /** The first step of a constant gradient is the learning rate, also where FP32 rounds 1 - beta2 by 5%. */
    @Test
    void biasCorrectionIsThatOfTheDecay() {
        for (double beta2 : new double[] {0.999, 0.999999, 0.9999999}) {
            var state = new State(FloatType.FLOAT, 0, 0.7);
            state.step(1e-3, 0.9, beta2, StateRounding.NEAREST, 0);
            assertEquals(-1e-3, mean(state.weights), 1e-9);
        }
    }

    /** The statistics see it: every update is lost to nearest, about |update| / ulp = 0.128 of them move anyway. */
    @Test
    void statisticsShowIt() {
        var weights = filled(FloatType.BFLOAT16, WEIGHTS, 1);
        var gradient = filled(FloatType.BFLOAT16, WEIGHTS, -1);
        var m = filled(FloatType.BFLOAT16, WEIGHTS, 0);
        var v = filled(FloatType.BFLOAT16, WEIGHTS, 0);
        var statistics = new StepStatistics();
        kernels.step(
                new OptimizerStep(
                        AdamW.of(0.9, 0.95, 1e-8, 0),
                        1e-3f,
                        0,
                        1,
                        WeightWrite.STOCHASTIC,
                        StateRounding.STOCHASTIC,
                        5,
                        0),
                new OptimizerArrays(
                        FloatType.BFLOAT16,
                        weights.address(),
                        gradient.address(),
                        new long[] {m.address(), v.address()},
                        0,
                        WEIGHTS,
                        0),
                statistics);
        assertEquals(WEIGHTS, statistics.weights);
        assertEquals(WEIGHTS, statistics.stagnant);
        assertEquals(0.128 * WEIGHTS, statistics.moved, 5 * Math.sqrt(0.128 * 0.872 * WEIGHTS));
        assertEquals(WEIGHTS * 1e-6, statistics.squaredUpdate, WEIGHTS * 1e-9);
        assertEquals(WEIGHTS, statistics.squaredWeight);
        assertEquals(WEIGHTS, statistics.squaredGradient);
        assertTrue(mean(weights) > 1);
    }

    private static TestArray filled(FloatType type, int length, double value) {
        return TestArray.of(
                type,
                Collections.nCopies(length, value).stream().mapToDouble(x -> x).toArray());
    }

    private static double mean(TestArray array) {
        return Arrays.stream(array.values()).average().orElseThrow();
    }
}
