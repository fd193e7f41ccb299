package org.dl4jsr.updater;

import static org.dl4jsr.updater.TestNetworks.INPUTS;
import static org.dl4jsr.updater.TestNetworks.dense;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.dl4jsr.updater.TestNetworks.output;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.solvers.accumulation.BasicGradientsAccumulator;
import org.deeplearning4j.optimize.solvers.accumulation.LocalHandler;
import org.dl4jsr.backend.PendingSteps;
import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.Optimizer;
import org.dl4jsr.rounding.WeightWrite;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** What cannot work says so at once, and what to do. */
class SrAdamRefusalsTest {

    @AfterEach
    void nothingStaysPending() {
        assertTrue(PendingSteps.isEmpty());
    }

    private static void assertRefused(String text, Executable action) {
        var error = assertThrows(IllegalStateException.class, action);
        assertTrue(error.getMessage().contains(text), error::getMessage);
    }

    @Test
    void weightDecayAfterTheUpdater() {
        var network = TestNetworks.network(
                TestNetworks.builder(new SrAdam())
                        .weightDecay(0.01)
                        .list()
                        .layer(dense(INPUTS, 8))
                        .layer(output(8))
                        .build(),
                DataType.BFLOAT16);
        assertRefused("set SrAdam's weightDecay, or let Bf16Policy take it over", () -> fit(network, 1));
    }

    @ParameterizedTest
    @EnumSource(
            value = OptimizationAlgorithm.class,
            names = "STOCHASTIC_GRADIENT_DESCENT",
            mode = EnumSource.Mode.EXCLUDE)
    void lineSearchOptimizers(OptimizationAlgorithm algorithm) {
        var network = TestNetworks.network(
                TestNetworks.builder(new SrAdam())
                        .optimizationAlgo(algorithm)
                        .list()
                        .layer(dense(INPUTS, 8))
                        .layer(output(8))
                        .build(),
                DataType.BFLOAT16);
        assertRefused("set optimizationAlgo to STOCHASTIC_GRADIENT_DESCENT", () -> fit(network, 1));
    }

    @Test
    void gradientSharing() {
        var network = TestNetworks.mlp(new SrAdam(), DataType.BFLOAT16);
        network.setGradientsAccumulator(new BasicGradientsAccumulator(1, new LocalHandler()));
        assertRefused("gradient sharing", () -> fit(network, 1));
    }

    @Test
    void aStepThatIsNeverWritten() {
        var network = TestNetworks.mlp(new SrAdam(), DataType.BFLOAT16);
        computeAndUpdate(network);
        assertRefused("before SrAdam's step of iteration 0 has been written", () -> computeAndUpdate(network));
        fit(network, 1);

        INDArray gradient = network.getFlattenedGradients().reshape(network.numParams());
        var updater = new SrAdam().instantiate(Nd4j.create(DataType.BFLOAT16, 2 * gradient.length()), true);
        updater.applyUpdater(gradient, 1, 0);
        assertRefused(
                "The update of iteration 1 of the parameters 0..1731 has never been written",
                () -> updater.applyUpdater(gradient, 2, 0));
    }

    private static void computeAndUpdate(MultiLayerNetwork network) {
        network.setInput(TestNetworks.DATA.getFeatures());
        network.setLabels(TestNetworks.DATA.getLabels());
        network.computeGradientAndScore();
        network.getUpdater().update(network, network.gradient(), 0, 0, 128, LayerWorkspaceMgr.noWorkspaces());
    }

    @Test
    void subtractingAPartOfTheGradient() {
        var network = TestNetworks.mlp(new SrAdam(), DataType.BFLOAT16);
        computeAndUpdate(network);
        INDArray part =
                network.getFlattenedGradients().reshape(network.numParams()).get(NDArrayIndex.interval(0, 100));
        INDArray weights = network.params().reshape(network.numParams()).get(NDArrayIndex.interval(0, 100));
        assertRefused("subtract the whole gradient at once", () -> weights.subi(part));
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"DOUBLE", "HALF"})
    void otherDataTypes(DataType type) {
        assertRefused("SrAdam in a network of type " + type, () -> fit(TestNetworks.mlp(new SrAdam(), type), 1));
    }

    @ParameterizedTest
    @EnumSource(
            value = WeightWrite.class,
            names = {"KAHAN", "MASTER"})
    void extraStateBesideFloatWeights(WeightWrite write) {
        var adam = SrAdam.builder().weightWrite(write).build();
        assertRefused(
                "set the data type to BFLOAT16 or weightWrite to STOCHASTIC",
                () -> fit(TestNetworks.mlp(adam, DataType.FLOAT), 1));
    }

    @Test
    void twoValuesOfASettingOfTheWholeNetwork() {
        assertRefused(
                "SrAdam.maxGradientNorm is 1.0 in one layer and 2.0 in another",
                () -> fit(
                        twoUpdaters(
                                SrAdam.builder().maxGradientNorm(1).build(),
                                SrAdam.builder().maxGradientNorm(2).build()),
                        1));
        assertRefused(
                "SrAdam.maxConsecutiveSkips is 10 in one layer and 2 in another",
                () -> fit(
                        twoUpdaters(
                                new SrAdam(),
                                SrAdam.builder().maxConsecutiveSkips(2).build()),
                        1));
    }

    private static MultiLayerNetwork twoUpdaters(SrAdam weights, SrAdam bias) {
        return TestNetworks.network(
                TestNetworks.builder(weights)
                        .biasUpdater(bias)
                        .list()
                        .layer(dense(INPUTS, 8))
                        .layer(output(8))
                        .build(),
                DataType.BFLOAT16);
    }

    @Test
    void masterStateThatArithmeticHasTouched() {
        var adam = SrAdam.builder().weightWrite(WeightWrite.MASTER).build();
        var network = TestNetworks.mlp(adam, DataType.BFLOAT16);
        INDArray state = network.getUpdater().getStateViewArray();
        fit(network, 2);
        INDArray good = state.dup();

        for (INDArray bad : new INDArray[] {
            good.mul(1),
            good.add(good).div(2),
            good.castTo(DataType.FLOAT).castTo(DataType.BFLOAT16),
            Nd4j.concat(0, good.get(NDArrayIndex.interval(1, good.length())), good.get(NDArrayIndex.interval(0, 1)))
        }) {
            state.assign(bad);
            float[] weights = TestNetworks.bits(network.params());
            assertRefused("under weightWrite MASTER has been changed", () -> fit(network, 1));
            assertArrayEquals(weights, TestNetworks.bits(network.params()));
        }
        state.assign(good);
        fit(network, 1);
        state.assign(0);
        fit(network, 1);
        assertEquals(0, UpdaterStatus.of(network).skippedSteps());
    }

    /** The native kernels would write to address 0. */
    @Test
    void aFormulaOfOtherMomentsThanTheFirst() {
        class AdamFirst extends FusedUpdater {

            private static final long serialVersionUID = 1;

            AdamFirst() {
                super(SrAdam.builder());
            }

            @Override
            protected Optimizer optimizer(int iteration) {
                return iteration == 0 ? AdamW.of(0.9, 0.999, 1e-8, 0) : new Momentum();
            }

            @Override
            public SrAdam.Builder toBuilder() {
                return SrAdam.builder();
            }
        }
        var updater = new AdamFirst();
        assertEquals(2, updater.step(1e-3, 1, 0, 0).optimizer().moments());
        assertRefused(
                "AdamFirst keeps 2 moments, but at iteration 1 its formula Momentum has 1",
                () -> updater.step(1e-3, 1, 0, 1));
    }

    private record Momentum() implements Optimizer {

        @Override
        public String name() {
            return "Momentum";
        }

        @Override
        public int moments() {
            return 1;
        }

        @Override
        public float[] scalars() {
            return new float[0];
        }

        @Override
        public float direction(float gradient, float[] moments) {
            return gradient;
        }
    }

    @Test
    void masterNetworksDoNotBecomeFloat() {
        var network = TestNetworks.mlp(
                SrAdam.builder().weightWrite(WeightWrite.MASTER).build(), DataType.BFLOAT16);
        fit(network, 1);
        assertRefused("in a FLOAT network", () -> network.convertDataType(DataType.FLOAT));
    }
}
