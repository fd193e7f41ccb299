package org.dl4jsr.updater;

import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.dl4jsr.updater.TestNetworks.loss;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.dl4jsr.backend.PendingSteps;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaBelief;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;

/** DL4J's updaters in BF16: arithmetic in FP32, hyper-parameters in full precision. */
@Tag("slow")
class BuiltInUpdatersTest {

    private static final double LR = 0.01;

    /** The update of gradient g at step t (from 1) in double precision; changes the state s. */
    private interface Formula {

        double update(double g, double[] s, int t);
    }

    /**
     * An updater by its formula.
     *
     * @param state names of the parts of its state
     */
    private record Case(IUpdater updater, List<String> state, Formula formula) {

        @Override
        public String toString() {
            return updater.getClass().getSimpleName();
        }
    }

    static Stream<Case> cases() {
        return Stream.of(
                new Case(new Sgd(LR), List.of(), (g, s, t) -> LR * g),
                new Case(new Nesterovs(LR, 0.9), List.of("V"), (g, s, t) -> {
                    double before = 0.9 * s[0];
                    s[0] = before - LR * g;
                    return before - 1.9 * s[0];
                }),
                new Case(new AdaGrad(LR), List.of("grad"), (g, s, t) -> {
                    s[0] += g * g;
                    return LR * g / (Math.sqrt(s[0]) + 1e-6);
                }),
                new Case(new AdaDelta(), List.of("msg", "msdx"), (g, s, t) -> {
                    s[0] = 0.95 * s[0] + 0.05 * g * g;
                    double update = g * Math.sqrt(s[1] + 1e-6) / Math.sqrt(s[0] + 1e-6);
                    s[1] = 0.95 * s[1] + 0.05 * update * update;
                    return update;
                }),
                new Case(new RmsProp(LR), List.of("G"), (g, s, t) -> {
                    s[0] = 0.95 * s[0] + 0.05 * g * g;
                    return LR * g / (Math.sqrt(s[0]) + 1e-8);
                }),
                new Case(new Adam(LR), List.of("M", "V"), (g, s, t) -> {
                    moments(g, s);
                    return rate(t) * s[0] / (Math.sqrt(s[1]) + 1e-8);
                }),
                new Case(new AdaMax(LR), List.of("M", "V"), (g, s, t) -> {
                    s[0] = 0.9 * s[0] + 0.1 * g;
                    s[1] = Math.max(0.999 * s[1], Math.abs(g));
                    return LR / (1 - Math.pow(0.9, t)) * s[0] / s[1];
                }),
                new Case(new Nadam(LR), List.of("M", "V"), (g, s, t) -> {
                    moments(g, s);
                    return LR * (0.9 * s[0] + 0.1 * g) / (1 - Math.pow(0.9, t)) / (Math.sqrt(s[1]) + 1e-8);
                }),
                new Case(new AMSGrad(LR), List.of("M", "V", "V_HAT"), (g, s, t) -> {
                    moments(g, s);
                    s[2] = Math.max(s[2], s[1]);
                    return rate(t) * s[0] / (Math.sqrt(s[2]) + 1e-8);
                }));
    }

    private static void moments(double g, double[] s) {
        s[0] = 0.9 * s[0] + 0.1 * g;
        s[1] = 0.999 * s[1] + 0.001 * g * g;
    }

    private static double rate(int t) {
        return LR * Math.sqrt(1 - Math.pow(0.999, t)) / (1 - Math.pow(0.9, t));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void stepsFollowTheFormulaInFloat(Case c) {
        follow(c, DataType.FLOAT, c.updater, 1e-4);
    }

    /** Each step from the BF16 state that the one before has left, to half an ulp, 2^-8 at most. */
    @ParameterizedTest
    @MethodSource("cases")
    void stepsFollowTheFormulaInBf16(Case c) {
        follow(c, DataType.BFLOAT16, c.updater, 1.01 / 256);
    }

    /** State rounded stochastically may be off by a whole ulp. */
    @ParameterizedTest
    @MethodSource("cases")
    void stochasticallyRoundedStepsFollowTheFormula(Case c) {
        follow(c, DataType.BFLOAT16, new StochasticallyRounded(c.updater), 1.01 / 128);
    }

    private static void follow(Case c, DataType type, IUpdater updater, double tolerance) {
        int n = 64;
        var random = new Random(5);
        boolean stateless = c.state.isEmpty();
        INDArray state = stateless ? null : Nd4j.create(type, (long) c.state.size() * n);
        GradientUpdater<?> ours = updater.instantiate(state, !stateless);
        GradientUpdater<?> parts = stateless ? null : c.updater.instantiate(state, false); // names the state's parts
        INDArray gradient = Nd4j.create(type, n);
        for (int t = 1; t <= 20; t++) {
            for (int i = 0; i < n; i++) {
                gradient.putScalar(i, random.nextGaussian());
            }
            float[] g = bits(gradient);
            float[][] before = state(c, parts);
            ours.applyUpdater(gradient, t - 1, 0);
            PendingSteps.remove(gradient);
            float[] update = bits(gradient);
            float[][] after = state(c, parts);
            for (int i = 0; i < n; i++) {
                double[] s = new double[before.length];
                for (int k = 0; k < s.length; k++) {
                    s[k] = before[k][i];
                }
                double expected = c.formula.update(g[i], s, t);
                String where = c + ", step " + t + ", element " + i;
                // differences of nearly equal FP32 terms are uncertain by a little of the terms
                assertEquals(expected, update[i], tolerance * Math.abs(expected) + 1e-7, where);
                for (int k = 0; k < s.length; k++) {
                    assertEquals(s[k], after[k][i], tolerance * Math.abs(s[k]) + 1e-7, where + ", " + c.state.get(k));
                }
            }
        }
    }

    private static float[][] state(Case c, GradientUpdater<?> updater) {
        return c.state.stream().map(name -> bits(updater.getState().get(name))).toArray(float[][]::new);
    }

    static Stream<IUpdater> trainable() {
        return Stream.of(
                new Sgd(0.3),
                new Nesterovs(0.05, 0.9),
                new AdaGrad(0.1),
                new AdaDelta(),
                new RmsProp(5e-3),
                new Adam(5e-3),
                new AdaMax(5e-3),
                new Nadam(5e-3),
                new AMSGrad(5e-3));
    }

    /** The loss falls from over 1 to 0.003 to 0.1 in 60 steps. */
    @ParameterizedTest
    @MethodSource("trainable")
    void bf16TrainsAsFloatDoes(IUpdater updater) {
        double wide = trained(updater, DataType.FLOAT);
        assertTrue(wide < 0.11, () -> "FLOAT ends at " + wide);
        assertEquals(wide, trained(updater, DataType.BFLOAT16), 0.01);
        assertEquals(wide, trained(new StochasticallyRounded(updater), DataType.BFLOAT16), 0.002);
    }

    private static double trained(IUpdater updater, DataType type) {
        var network = TestNetworks.mlp(updater.clone(), type);
        fit(network, 60);
        return loss(network);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void noOpSubtractsTheGradientItself(DataType type) {
        INDArray gradient = Nd4j.create(type, 8).assign(0.5);
        new NoOp().instantiate((INDArray) null, false).applyUpdater(gradient, 0, 0);
        assertTrue(Arrays.equals(bits(Nd4j.create(type, 8).assign(0.5)), bits(gradient)));
    }

    /** DL4J 1.0.0-M2.1 cannot instantiate it, in FLOAT either. */
    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void adaBeliefIsBrokenInDl4j(DataType type) {
        assertThrows(ArrayIndexOutOfBoundsException.class, () -> TestNetworks.mlp(new AdaBelief(), type)
                .fit(TestNetworks.DATA));
    }
}
