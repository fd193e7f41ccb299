package org.dl4jsr.updater;

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

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.optimize.solvers.accumulation.BasicGradientsAccumulator;
import org.deeplearning4j.optimize.solvers.accumulation.LocalHandler;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jsr.backend.PendingSteps;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.reference.JavaKernels;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.rounding.StochasticRounding;
import org.dl4jsr.rounding.WeightWrite;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

@Tag("slow")
class StochasticallyRoundedTest {

    @AfterEach
    void nothingStaysPending() {
        assertTrue(PendingSteps.isEmpty());
    }

    static Stream<IUpdater> updaters() {
        return Stream.of(
                new Sgd(0.1),
                new Nesterovs(0.1, 0.9),
                new AdaGrad(0.05),
                new RmsProp(5e-3),
                new AdaDelta(),
                new AMSGrad(5e-3));
    }

    private static MultiLayerNetwork mlp(IUpdater updater) {
        return TestNetworks.mlp(new StochasticallyRounded(updater, 9), DataType.BFLOAT16);
    }

    private static ComputationGraph graph(IUpdater updater) {
        return TestNetworks.graph(new StochasticallyRounded(updater, 9), DataType.BFLOAT16);
    }

    private static INDArray state(Model model) {
        return model instanceof MultiLayerNetwork network
                ? network.getUpdater().getStateViewArray()
                : ((ComputationGraph) model).getUpdater().getStateViewArray();
    }

    private static void assertSameNetworks(Model expected, Model actual) {
        assertArrayEquals(bits(expected.params()), bits(actual.params()));
        if (state(expected) != null) {
            assertArrayEquals(bits(state(expected)), bits(state(actual)));
        }
    }

    /** At this rate round-to-nearest stands still; stochastic rounding follows FLOAT. */
    @Test
    void sgdLearnsWhereNearestStandsStill() {
        double rate = 3e-4;
        var wide = TestNetworks.mlp(new Sgd(rate), DataType.FLOAT);
        var nearest =
                TestNetworks.mlp(new StochasticallyRounded(new Sgd(rate), 0, WeightWrite.NEAREST), DataType.BFLOAT16);
        var stochastic = mlp(new Sgd(rate));
        double before = loss(wide);
        for (Model model : List.of(wide, nearest, stochastic)) {
            fit(model, 600);
        }
        double gain = before - loss(wide);
        assertTrue(gain > 0.05, () -> "FLOAT gains " + gain);
        assertEquals(gain, before - loss(stochastic), 0.2 * gain);
        assertEquals(0, before - loss(nearest), 0.4 * gain);
    }

    /** The sum of squares grows in steps far below an ulp. */
    @Test
    void theSumOfAdaGradGoesOnGrowing() {
        var updater =
                new StochasticallyRounded(new AdaGrad(0.1)).instantiate(Nd4j.create(DataType.BFLOAT16, 4096), true);
        INDArray gradient = Nd4j.create(DataType.BFLOAT16, 4096);
        for (int i = 0; i < 2000; i++) {
            gradient.assign(1);
            updater.applyUpdater(gradient, i, 0);
            PendingSteps.remove(gradient);
        }
        INDArray sum = updater.getState().get("state");
        assertEquals(2000, sum.meanNumber().doubleValue(), 10, "nearest stops at 256");
    }

    /** Weights, state and their random bits: the step by the formula. */
    @Test
    void aStepIsWrittenAsSpecified() {
        var network = mlp(new Sgd(0.1));
        fit(network, 2);
        INDArray weights = network.params().dup();
        float[] before = bits(weights);
        fit(network, 1);
        float[] update = bits(network.getFlattenedGradients());
        var expected = new float[before.length];
        long key = RandomKey.of(2, squares(network.getFlattenedGradients()), squares(weights), null)
                .key(9);
        for (int i = 0; i < before.length; i++) {
            int random = StochasticRounding.randomBits(key, 2, i, StochasticRounding.WEIGHT_STREAM);
            expected[i] = BFloat16.toFloat(StochasticRounding.round(before[i] - update[i], random));
        }
        assertArrayEquals(expected, bits(network.params()));
    }

    private static double squares(INDArray array) {
        return new JavaKernels(1)
                .sumOfSquares(FloatType.BFLOAT16, array.data().addressPointer().address(), array.length());
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void restoredNetworksGoOnBitForBit(IUpdater updater) throws IOException {
        for (Model model : List.of(mlp(updater), graph(updater))) {
            fit(model, 3);
            var stream = new ByteArrayOutputStream();
            ModelSerializer.writeModel(model, stream, true);
            var saved = new ByteArrayInputStream(stream.toByteArray());
            Model restored = model instanceof MultiLayerNetwork
                    ? ModelSerializer.restoreMultiLayerNetwork(saved)
                    : ModelSerializer.restoreComputationGraph(saved);
            assertSameNetworks(model, restored);
            fit(model, 3);
            fit(restored, 3);
            assertSameNetworks(model, restored);
        }
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void bothNetworkClassesAndClonesAgree(IUpdater updater) {
        var network = mlp(updater);
        var graph = graph(updater);
        fit(network, 3);
        fit(graph, 3);
        assertSameNetworks(network, graph);
        var clone = network.clone();
        fit(network, 2);
        fit(clone, 2);
        assertSameNetworks(network, clone);
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void aFloatNetworkRunsAsEver(IUpdater updater) {
        var stock = TestNetworks.mlp(updater, DataType.FLOAT);
        var ours = TestNetworks.mlp(new StochasticallyRounded(updater), DataType.FLOAT);
        fit(stock, 5);
        fit(ours, 5);
        assertSameNetworks(stock, ours);
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void jsonAndYaml(IUpdater updater) {
        var configuration = TestNetworks.mlpConfiguration(new StochasticallyRounded(updater, 7), DataType.BFLOAT16);
        assertEquals(configuration, MultiLayerConfiguration.fromJson(configuration.toJson()));
        assertEquals(configuration, MultiLayerConfiguration.fromYaml(configuration.toYaml()));
        var graph = TestNetworks.graphConfiguration(new StochasticallyRounded(updater, 7), DataType.BFLOAT16);
        assertEquals(graph, ComputationGraphConfiguration.fromJson(graph.toJson()));
        assertTrue(graph.toJson().contains("\"seed\" : 7"), graph::toJson);
    }

    @Test
    void schedulesAndSetLearningRate() {
        var schedule = new MapSchedule(ScheduleType.ITERATION, new HashMap<>(Map.of(0, 0.1, 3, 0.0)));
        var network = mlp(new Nesterovs(schedule, 0));
        fit(network, 3);
        float[] weights = bits(network.params());
        fit(network, 2);
        assertArrayEquals(weights, bits(network.params()));

        network.setLearningRate(0.1);
        assertEquals(0.1, network.getLearningRate(1));
        fit(network, 1);
        assertFalse(Arrays.equals(weights, bits(network.params())));

        network.setLearningRate(0);
        network.setLearningRate(1, 0.1);
        INDArray before = network.params().dup();
        fit(network, 1);
        for (ParameterRange range : ParameterRange.of(network)) {
            var interval = NDArrayIndex.interval(range.start(), range.end());
            assertEquals(
                    !range.layer().equals("layer1"),
                    Arrays.equals(
                            bits(before.reshape(before.length()).get(interval)),
                            bits(network.params().reshape(before.length()).get(interval))),
                    range::layer);
        }
    }

    /** Batch normalization's statistics move, the frozen layer does not. */
    @Test
    void besideSrAdamAndOthers() {
        var first = dense(INPUTS, 16);
        first.setIUpdater(new StochasticallyRounded(new Nesterovs(0.05, 0.9)));
        var network = TestNetworks.network(
                TestNetworks.builder(new SrAdam(5e-3))
                        .list()
                        .layer(first)
                        .layer(new BatchNormalization.Builder()
                                .nIn(16)
                                .nOut(16)
                                .useLogStd(false)
                                .build())
                        .layer(dense(16, 16))
                        .layer(output(16))
                        .build(),
                DataType.BFLOAT16);
        double before = loss(network);
        fit(network, 40);
        assertTrue(loss(network) < 0.5 * before, () -> before + " became " + loss(network));
        assertFalse(network.getParam("1_mean").castTo(DataType.FLOAT).eq(0).all());

        var tuned = new TransferLearning.Builder(network).setFeatureExtractor(0).build();
        float[] frozen = bits(tuned.getParam("0_W"));
        float[] free = bits(tuned.getParam("2_W"));
        fit(tuned, 2);
        assertArrayEquals(frozen, bits(tuned.getParam("0_W")));
        assertFalse(Arrays.equals(free, bits(tuned.getParam("2_W"))));
    }

    @Test
    void weightDecayPullsWeightsDown() {
        var network = TestNetworks.network(
                TestNetworks.builder(new StochasticallyRounded(new Sgd(0.01)))
                        .weightDecay(1)
                        .list()
                        .layer(dense(INPUTS, 16))
                        .layer(output(16))
                        .build(),
                DataType.BFLOAT16);
        double before = network.getParam("0_W").norm2Number().doubleValue();
        fit(network, 50);
        // DL4J applies what its global configuration says of regularization twice
        assertEquals(
                Math.pow(0.98, 50) * before,
                network.getParam("0_W").norm2Number().doubleValue(),
                0.1 * before);
    }

    @Test
    void layerwisePretraining() {
        var network = TestNetworks.network(
                TestNetworks.builder(new StochasticallyRounded(new Nesterovs(0.05, 0.9)))
                        .list()
                        .layer(new AutoEncoder.Builder()
                                .nIn(INPUTS)
                                .nOut(8)
                                .corruptionLevel(0)
                                .build())
                        .layer(output(8))
                        .build(),
                DataType.BFLOAT16);
        float[] before = bits(network.params());
        network.pretrainLayer(0, TestNetworks.DATA.getFeatures());
        float[] after = bits(network.params());
        int pretrained = (int) network.getLayer(0).numParams();
        assertFalse(Arrays.equals(Arrays.copyOf(before, pretrained), Arrays.copyOf(after, pretrained)));
        assertArrayEquals(
                Arrays.copyOfRange(before, pretrained, before.length),
                Arrays.copyOfRange(after, pretrained, after.length));
    }

    @Test
    void roundingIsCounted() {
        var seen = new ArrayList<RoundingStats>();
        var quiet = mlp(new Sgd(1e-3));
        var heard = mlp(new Sgd(1e-3));
        heard.setListeners(new RoundingStatsListener(1, seen::add));
        float[] before = bits(heard.params());
        fit(heard, 1);
        float[] after = bits(heard.params());
        float[] update = bits(heard.getFlattenedGradients());
        int moved = 0;
        int lost = 0;
        for (int i = 0; i < before.length; i++) {
            moved += before[i] != after[i] ? 1 : 0;
            float nearest = BFloat16.toFloat(BFloat16.fromFloat(before[i] - update[i]));
            lost += update[i] != 0 && nearest == before[i] ? 1 : 0;
        }
        RoundingStats.Layer total = seen.get(0).total();
        assertEquals(3, seen.get(0).layers().size());
        assertEquals(moved / (double) before.length, total.moved());
        assertEquals(lost / (double) before.length, total.lost());
        assertTrue(total.lost() > 0.5 && total.moved() > 0, total::toString);
        assertTrue(Double.isNaN(total.gradientNorm()));
        fit(quiet, 3);
        fit(heard, 2);
        assertSameNetworks(quiet, heard);
    }

    @Test
    void gradientSharingIsFoundOut() {
        var network = mlp(new Sgd(0.1));
        network.setGradientsAccumulator(new BasicGradientsAccumulator(1, new LocalHandler()));
        var error = assertThrows(IllegalStateException.class, () -> fit(network, 2));
        assertTrue(error.getMessage().contains("gradient sharing"), error::getMessage);
    }

    @Test
    void whatRoundsAlreadyIsNotWrapped() {
        for (IUpdater updater : List.of(new SrAdam(), new StochasticallyRounded(new AdaMax()))) {
            var error = assertThrows(IllegalArgumentException.class, () -> new StochasticallyRounded(updater));
            assertTrue(error.getMessage().contains("use it as it is"), error::getMessage);
        }
    }
}
