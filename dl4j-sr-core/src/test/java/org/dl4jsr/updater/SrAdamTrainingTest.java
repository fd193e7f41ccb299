package org.dl4jsr.updater;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.INPUTS;
import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.dense;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.dl4jsr.updater.TestNetworks.loss;
import static org.dl4jsr.updater.TestNetworks.output;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.reference.JavaKernels;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

@Tag("slow")
class SrAdamTrainingTest {

    static Stream<Arguments> typesAndWrites() {
        return Stream.concat(
                Stream.of(Arguments.of(DataType.FLOAT, WeightWrite.STOCHASTIC)),
                Arrays.stream(WeightWrite.values()).map(write -> Arguments.of(DataType.BFLOAT16, write)));
    }

    /** The gradient that a fit leaves behind gives the new weights and state, run through the Java kernels. */
    @ParameterizedTest
    @MethodSource("typesAndWrites")
    void aStepIsTheKernelBitForBit(DataType type, WeightWrite write) {
        var adam = SrAdam.builder()
                .learningRate(1e-2)
                .beta2(0.95)
                .weightDecay(0.1)
                .weightWrite(write)
                .seed(11)
                .maxGradientNorm(0.05)
                .build();
        MultiLayerNetwork network = TestNetworks.mlp(adam, type);
        for (int iteration = 0; iteration < 3; iteration++) {
            INDArray weights = network.params().dup();
            INDArray state = network.getUpdater().getStateViewArray().dup();
            fit(network, 1);
            var status = UpdaterStatus.of(network);
            long n = weights.length();
            int bytes = type == DataType.FLOAT ? 4 : 2;
            boolean master = write == WeightWrite.MASTER;
            long header = master ? 16 : 0;
            long key = key(type, network, weights, iteration);
            INDArray newState = network.getUpdater().getStateViewArray();
            assertTrue(status.lastClipScale() < 1);
            long at = 0;
            for (long[] block : master ? variables(network) : List.of(new long[] {0, n})) {
                long count = block[1] - block[0];
                long m = address(state) + bytes * (at + header);
                long stride = count * (master ? 4 : bytes);
                new JavaKernels(2)
                        .step(
                                new OptimizerStep(
                                        AdamW.of(0.9, 0.95, 1e-8, iteration),
                                        1e-2f,
                                        0.1f,
                                        (float) status.lastClipScale(),
                                        write,
                                        StateRounding.STOCHASTIC,
                                        key,
                                        iteration),
                                new OptimizerArrays(
                                        type == DataType.FLOAT ? FloatType.FLOAT : FloatType.BFLOAT16,
                                        address(weights) + bytes * block[0],
                                        address(network.getFlattenedGradients()) + bytes * block[0],
                                        new long[] {m, m + stride},
                                        m + 2 * stride,
                                        count,
                                        block[0]),
                                null);
                long end = master ? at + header + 6 * count : state.length();
                var values = NDArrayIndex.interval(at + header, end);
                assertArrayEquals(bits(state.get(values)), bits(newState.get(values)));
                at = end;
            }
            assertArrayEquals(bits(weights), bits(network.params()));
        }
    }

    private static List<long[]> variables(MultiLayerNetwork network) {
        return ParameterRange.of(network).stream()
                .map(range -> new long[] {range.start(), range.end()})
                .toList();
    }

    private static long key(DataType type, MultiLayerNetwork network, INDArray weights, int iteration) {
        return type == DataType.FLOAT
                ? 0
                : RandomKey.of(iteration, squares(network.getFlattenedGradients()), squares(weights), null)
                        .key(11);
    }

    private static double squares(INDArray array) {
        return new JavaKernels(1).sumOfSquares(FloatType.BFLOAT16, address(array), array.length());
    }

    private static long address(INDArray array) {
        return array.data().addressPointer().address();
    }

    @ParameterizedTest
    @MethodSource("typesAndWrites")
    void everyWeightWriteTrains(DataType type, WeightWrite write) {
        var network = TestNetworks.mlp(
                SrAdam.builder().learningRate(1e-2).weightWrite(write).build(), type);
        double before = loss(network);
        fit(network, 40);
        assertTrue(loss(network) < 0.5 * before, () -> before + " became " + loss(network));
    }

    @Test
    void bothNetworkClassesTrainAlike() {
        var network = TestNetworks.mlp(new SrAdam(3e-3), DataType.BFLOAT16);
        var graph = TestNetworks.graph(new SrAdam(3e-3), DataType.BFLOAT16);
        assertArrayEquals(bits(network.params()), bits(graph.params()));
        fit(network, 5);
        fit(graph, 5);
        assertArrayEquals(bits(network.params()), bits(graph.params()));
        assertArrayEquals(
                bits(network.getUpdater().getStateViewArray()),
                bits(graph.getUpdater().getStateViewArray()));
    }

    @Test
    void smallUpdatesSurviveStochasticRoundingOnly() {
        double exact = lossAfter(new SrAdam(2e-4), DataType.FLOAT);
        double stochastic = lossAfter(new SrAdam(2e-4), DataType.BFLOAT16);
        double nearest = lossAfter(
                SrAdam.builder()
                        .learningRate(2e-4)
                        .weightWrite(WeightWrite.NEAREST)
                        .build(),
                DataType.BFLOAT16);
        assertEquals(exact, stochastic, 0.02 * exact);
        assertTrue(
                nearest > exact + 5 * Math.abs(stochastic - exact),
                () -> "FP32 " + exact + ", stochastic " + stochastic + ", nearest " + nearest);
    }

    private static double lossAfter(SrAdam adam, DataType type) {
        var network = TestNetworks.mlp(adam, type);
        fit(network, 100);
        return loss(network);
    }

    /** Frozen, SGD, batch norm, momentum and three SrAdam configurations in one network. */
    private static MultiLayerNetwork mixed(DataType type) {
        return TestNetworks.network(
                TestNetworks.builder(new SrAdam(1e-2))
                        .list()
                        .layer(new FrozenLayer(dense(INPUTS, 24)))
                        .layer(new DenseLayer.Builder()
                                .nIn(24)
                                .nOut(24)
                                .activation(Activation.TANH)
                                .updater(new Sgd(0.1))
                                .build())
                        .layer(new BatchNormalization.Builder()
                                .nIn(24)
                                .nOut(24)
                                .useLogStd(false)
                                .build())
                        .layer(new DenseLayer.Builder()
                                .nIn(24)
                                .nOut(24)
                                .activation(Activation.TANH)
                                .biasUpdater(SrAdam.builder()
                                        .learningRate(2e-2)
                                        .seed(5)
                                        .build())
                                .build())
                        .layer(new DenseLayer.Builder()
                                .nIn(24)
                                .nOut(24)
                                .activation(Activation.TANH)
                                .updater(new Nesterovs(0.05, 0.9))
                                .biasUpdater(new SrAdam(5e-3))
                                .build())
                        .layer(output(24))
                        .build(),
                type);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void othersKeepTheirOwnUpdaters(DataType type) {
        MultiLayerNetwork network = mixed(type);
        double lossBefore = loss(network);
        INDArray before = network.params().dup();
        fit(network, 1);
        INDArray update = network.getFlattenedGradients().reshape(before.length());
        INDArray plain = before.reshape(before.length()).sub(update);
        double squares = 0;
        var foreign = List.of("layer0 W", "layer0 b", "layer1 W", "layer1 b", "layer2 mean", "layer2 var", "layer4 W");
        for (ParameterRange range : ParameterRange.of(network)) {
            String name = range.layer() + " " + range.parameter();
            var interval = NDArrayIndex.interval(range.start(), range.end());
            float[] now = bits(network.params().reshape(before.length()).get(interval));
            float[] old = bits(before.reshape(before.length()).get(interval));
            float[] subtracted = bits(plain.get(interval));
            assertEquals(name.startsWith("layer0"), Arrays.equals(old, now), name + " moved?");
            if (type == DataType.FLOAT) {
                assertEquals(foreign.contains(name), Arrays.equals(subtracted, now), name + " by subtraction?");
            } else if (foreign.contains(name)) {
                assertNeighbours(subtracted, now, name);
            }
            if (!foreign.contains(name)) {
                for (float g : bits(update.get(interval))) {
                    squares += g * g;
                }
            }
        }
        assertEquals(Math.sqrt(squares), UpdaterStatus.of(network).lastGradientNorm(), 1e-6 * Math.sqrt(squares));
        fit(network, 40);
        assertTrue(loss(network) < 0.6 * lossBefore, () -> lossBefore + " became " + loss(network));
    }

    private static void assertNeighbours(float[] nearest, float[] rounded, String name) {
        for (int i = 0; i < nearest.length; i++) {
            assertEquals(nearest[i], rounded[i], BFloat16.ulp(BFloat16.fromFloat(nearest[i])), name);
        }
    }

    @Test
    void clippingBoundsTheGlobalNorm() {
        var unclipped = TestNetworks.mlp(new SrAdam(1e-3), DataType.FLOAT);
        fit(unclipped, 1);
        double norm = UpdaterStatus.of(unclipped).lastGradientNorm();
        assertEquals(1, UpdaterStatus.of(unclipped).lastClipScale());

        var clipped =
                TestNetworks.mlp(SrAdam.builder().maxGradientNorm(norm / 4).build(), DataType.FLOAT);
        fit(clipped, 1);
        assertEquals(norm, UpdaterStatus.of(clipped).lastGradientNorm());
        assertEquals(0.25, UpdaterStatus.of(clipped).lastClipScale(), 1e-12);

        var loose = TestNetworks.mlp(SrAdam.builder().maxGradientNorm(norm * 4).build(), DataType.FLOAT);
        fit(loose, 1);
        assertEquals(1, UpdaterStatus.of(loose).lastClipScale());
        assertArrayEquals(bits(unclipped.params()), bits(loose.params()));
    }

    private static DataSet poisoned(double value) {
        INDArray features = DATA.getFeatures().dup();
        features.putScalar(3, 2, value);
        return new DataSet(features, DATA.getLabels());
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void aGradientThatIsNotFiniteSkipsTheStepEverywhere(DataType type) {
        MultiLayerNetwork network = mixed(type);
        fit(network, 2);
        float[] weights = bits(network.params());
        network.fit(poisoned(Double.NaN));
        assertArrayEquals(weights, bits(network.params()));
        var status = UpdaterStatus.of(network);
        assertEquals(1, status.skippedSteps());
        assertEquals(1, status.consecutiveSkips());
        assertEquals(0, status.lastClipScale());
        assertFalse(Double.isFinite(status.lastGradientNorm()));
    }

    /** Its square would make the second moment infinite and freeze the weight. */
    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void aGradientWhoseSquareOverflowsSkipsTheStepToo(DataType type) {
        var network = TestNetworks.mlp(new SrAdam(1e-2), type);
        ExternalGradients.prepare(network);
        float[] weights = bits(network.params());
        INDArray gradient = network.params().dup().assign(1);
        for (double value : new double[] {2e19, -3e38}) {
            ExternalGradients.step(network, gradient.putScalar(5, value), 0);
            assertArrayEquals(weights, bits(network.params()));
        }
        assertEquals(2, UpdaterStatus.of(network).skippedSteps());
        ExternalGradients.step(network, gradient.putScalar(5, 1.8e19), 0);
        assertEquals(2, UpdaterStatus.of(network).skippedSteps());
        assertFalse(network.getUpdater()
                .getStateViewArray()
                .castTo(DataType.FLOAT)
                .isInfinite()
                .any());

        var clipped = TestNetworks.mlp(SrAdam.builder().maxGradientNorm(1).build(), type);
        ExternalGradients.prepare(clipped);
        ExternalGradients.step(clipped, gradient.putScalar(5, 3e38), 0);
        assertEquals(0, UpdaterStatus.of(clipped).skippedSteps(), "clipped, it does no harm");
    }

    @Test
    void trainingGoesOnAfterASkip() {
        var network = TestNetworks.mlp(new SrAdam(1e-2), DataType.BFLOAT16);
        fit(network, 2);
        float[] state = bits(network.getUpdater().getStateViewArray());
        network.fit(poisoned(Double.NaN));
        network.fit(poisoned(Double.NaN));
        assertArrayEquals(state, bits(network.getUpdater().getStateViewArray()));
        var status = UpdaterStatus.of(network);
        assertEquals(2, status.consecutiveSkips());
        double before = loss(network);
        fit(network, 10);
        assertEquals(0, status.consecutiveSkips());
        assertEquals(2, status.skippedSteps());
        assertTrue(loss(network) < before);
    }

    @Test
    void tooManySkipsInARowStopWithTheParametersName() {
        var graph = TestNetworks.graph(SrAdam.builder().maxConsecutiveSkips(3).build(), DataType.BFLOAT16);
        UpdaterStatus.of(graph);
        graph.fit(poisoned(Double.NaN));
        graph.fit(poisoned(Double.NaN));
        var error = assertThrows(NonFiniteGradientException.class, () -> graph.fit(poisoned(Double.NaN)));
        assertTrue(
                error.getMessage().contains("The gradient of parameter W of layer first (element"), error::getMessage);
        assertTrue(
                error.getMessage().contains("is not finite at iteration 2, and SrAdam has skipped 3 steps in a row"),
                error::getMessage);
    }

    @Test
    void theStatusCountsOnFromARestore() {
        var network = TestNetworks.mlp(SrAdam.builder().maxConsecutiveSkips(3).build(), DataType.BFLOAT16);
        UpdaterStatus.of(network).restore(7, 2);
        assertThrows(NonFiniteGradientException.class, () -> network.fit(poisoned(Double.NaN)));
        assertEquals(8, UpdaterStatus.of(network).skippedSteps());
        assertThrows(
                IllegalArgumentException.class, () -> UpdaterStatus.of(network).restore(1, 2));
        assertThrows(
                IllegalArgumentException.class, () -> UpdaterStatus.of(network).restore(1, -1));
    }

    @Test
    void everyNetworkHasItsOwnStatus() throws Exception {
        var networks = new MultiLayerNetwork[3];
        var threads = new Thread[networks.length];
        for (int i = 0; i < networks.length; i++) {
            networks[i] = TestNetworks.mlp(new SrAdam(1e-3 * (i + 1)), DataType.BFLOAT16);
            MultiLayerNetwork network = networks[i];
            int poison = i;
            threads[i] = new Thread(() -> {
                fit(network, 10);
                for (int skip = 0; skip < poison; skip++) {
                    network.fit(poisoned(Double.NaN));
                }
            });
            threads[i].start();
        }
        for (int i = 0; i < networks.length; i++) {
            threads[i].join();
            var alone = TestNetworks.mlp(new SrAdam(1e-3 * (i + 1)), DataType.BFLOAT16);
            fit(alone, 10);
            assertArrayEquals(bits(alone.params()), bits(networks[i].params()));
            assertEquals(i, UpdaterStatus.of(networks[i]).skippedSteps());
        }
    }
}
