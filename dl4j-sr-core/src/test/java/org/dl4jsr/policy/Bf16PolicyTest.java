package org.dl4jsr.policy;

import static org.dl4jsr.updater.TestNetworks.INPUTS;
import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.dense;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.dl4jsr.updater.TestNetworks.loss;
import static org.dl4jsr.updater.TestNetworks.output;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.dropout.AlphaDropout;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.op.Autocast;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.updater.StochasticallyRounded;
import org.dl4jsr.updater.TestNetworks;
import org.dl4jsr.updater.WarmupCosineSchedule;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.FixedSchedule;
import org.nd4j.linalg.schedule.ScheduleType;

class Bf16PolicyTest {

    /** That of {@link TestNetworks}. */
    private static final long SEED = 3;

    private static SrAdam srAdam(double learningRate, double weightDecay) {
        return SrAdam.builder()
                .learningRate(learningRate)
                .weightDecay(weightDecay)
                .seed(SEED)
                .build();
    }

    @AfterEach
    void autocastOff() {
        Autocast.setEnabled(false);
    }

    @ParameterizedTest
    @CsvSource({
        "fp32, FP32, FLOAT, STOCHASTIC, 16", "bf16-o1, O1, FLOAT, STOCHASTIC, 16",
        "bf16-o2, O2, BFLOAT16, MASTER, 16", "bf16-nearest, NEAREST, BFLOAT16, NEAREST, 8",
        "bf16-kahan, KAHAN, BFLOAT16, KAHAN, 10", "bf16-sr, SR, BFLOAT16, STOCHASTIC, 8"
    })
    void names(String name, Bf16Policy policy, DataType type, WeightWrite write, int bytes) {
        assertSame(policy, Bf16Policy.named(name));
        assertEquals(name, policy.toString());
        assertEquals(type, policy.dataType());
        assertEquals(write, policy.weightWrite());
        assertEquals(bytes, policy.modelStateBytes());
        int element = type == DataType.FLOAT ? 4 : 2;
        long state = SrAdam.builder().weightWrite(write).build().stateSize(1 << 20);
        assertEquals(bytes, (2 + (state >> 20)) * element);
    }

    @Test
    void anUnknownNameListsThePolicies() {
        var error = assertThrows(IllegalArgumentException.class, () -> Bf16Policy.named("bf16"));
        assertEquals(
                "Unknown policy \"bf16\", expected one of fp32, bf16-o1, bf16-o2, bf16-nearest, bf16-kahan,"
                        + " bf16-sr",
                error.getMessage());
    }

    @ParameterizedTest
    @EnumSource(Bf16Policy.class)
    void everyPolicyTrainsBothNetworkClasses(Bf16Policy policy) {
        var network = TestNetworks.network(policy.apply(TestNetworks.mlpConfiguration(new Adam(1e-2), DataType.FLOAT)));
        var graph = new ComputationGraph(policy.apply(TestNetworks.graphConfiguration(new Adam(1e-2), DataType.FLOAT)));
        graph.init();
        assertEquals(policy.dataType(), network.params().dataType());
        assertEquals(policy == Bf16Policy.O1, Autocast.isEnabled());
        double before = loss(network);
        fit(network, 30);
        fit(graph, 30);
        assertTrue(loss(network) < 0.6 * before, () -> before + " became " + loss(network));
        assertArrayEquals(bits(network.params()), bits(graph.params()));
    }

    @Test
    void fp32IsStockAdam() {
        var stock = TestNetworks.mlp(new Adam(1e-3), DataType.FLOAT);
        var ours = TestNetworks.network(
                Bf16Policy.FP32.apply(TestNetworks.mlpConfiguration(new Adam(1e-3), DataType.FLOAT)));
        fit(stock, 10);
        fit(ours, 10);
        assertTrue(updater(ours.getLayerWiseConfigurations(), 0) instanceof SrAdam);
        assertArrayEquals(bits(stock.params()), bits(ours.params()), 1e-4f);
    }

    private static IUpdater updater(MultiLayerConfiguration configuration, int layer) {
        return ((BaseLayer) configuration.getConf(layer).getLayer()).getIUpdater();
    }

    @ParameterizedTest
    @EnumSource(Bf16Policy.class)
    void anyFusedUpdaterStays(Bf16Policy policy) {
        var given = new OtherFusedUpdater.Builder().learningRate(3e-3).build();
        var base = TestNetworks.mlpConfiguration(given, DataType.FLOAT);
        ((BaseLayer) base.getConf(0).getLayer()).setRegularization(List.of(new WeightDecay(0.1, true)));
        var configuration = policy.apply(base);
        var expected = given.toBuilder().weightWrite(policy.weightWrite());
        assertEquals(expected.seed(SEED).weightDecay(0.1).build(), updater(configuration, 0));
        assertEquals(expected.weightDecay(0).build(), updater(configuration, 1));
        fit(TestNetworks.network(configuration), 2);
    }

    @Test
    void adamKeepsItsHyperParameters() {
        var adam = Adam.builder()
                .learningRate(2e-3)
                .beta1(0.8)
                .beta2(0.95)
                .epsilon(1e-6)
                .build();
        var configuration = Bf16Policy.KAHAN.apply(TestNetworks.mlpConfiguration(adam, DataType.FLOAT));
        assertEquals(DataType.BFLOAT16, configuration.getDataType());
        assertEquals(
                SrAdam.builder()
                        .learningRate(2e-3)
                        .beta1(0.8)
                        .beta2(0.95)
                        .epsilon(1e-6)
                        .weightWrite(WeightWrite.KAHAN)
                        .seed(SEED)
                        .build(),
                updater(configuration, 1));

        var schedule = new WarmupCosineSchedule(2, 20, 1e-2, 0);
        var graph = Bf16Policy.SR.apply(TestNetworks.graphConfiguration(new Adam(schedule), DataType.FLOAT));
        var layer = (BaseLayer)
                ((LayerVertex) graph.getVertices().get("out")).getLayerConf().getLayer();
        assertEquals(new SrAdam(schedule).toBuilder().seed(SEED).build(), layer.getIUpdater());
    }

    @Test
    void srAdamKeepsAllButTheWeightWrite() {
        var adam = SrAdam.builder()
                .learningRate(2e-3)
                .stateRounding(StateRounding.NEAREST)
                .seed(3)
                .maxGradientNorm(1)
                .weightDecay(0.1)
                .build();
        var configuration = Bf16Policy.O2.apply(TestNetworks.mlpConfiguration(adam, DataType.FLOAT));
        assertEquals(adam.toBuilder().weightWrite(WeightWrite.MASTER).build(), updater(configuration, 0));
        assertEquals(adam, updater(Bf16Policy.SR.apply(configuration), 0));
    }

    /** DL4J lists, and applies, what its global configuration says of regularization twice. */
    @Test
    void weightDecayIsTakenOverByParameterKind() {
        var configuration = Bf16Policy.SR.apply(TestNetworks.builder(new Adam(0.5))
                .weightDecay(0.05)
                .l2Bias(0.01)
                .list()
                .layer(dense(INPUTS, 8))
                .layer(new BatchNormalization.Builder().nIn(8).nOut(8).build())
                .layer(dense(8, 8))
                .layer(output(8))
                .build());
        for (int i : new int[] {0, 2, 3}) {
            var layer = (BaseLayer) configuration.getConf(i).getLayer();
            assertEquals(srAdam(0.5, 0.1), layer.getIUpdater());
            assertEquals(srAdam(0.5, 0), layer.getBiasUpdater());
            assertEquals(List.of(), layer.getRegularization());
            assertEquals(List.of(new L2Regularization(0.01)), layer.getRegularizationBias());
        }
        var norm = (BaseLayer) configuration.getConf(1).getLayer();
        assertEquals(srAdam(0.5, 0), norm.getIUpdater());
        assertNull(norm.getBiasUpdater());
        fit(TestNetworks.network(configuration), 2);
    }

    @Test
    void weightDecayOfBiasesAndWithoutTheLearningRate() {
        var configuration = Bf16Policy.SR.apply(TestNetworks.builder(new Adam(0.5))
                .biasUpdater(new Adam(0.25))
                .weightDecay(0.05, false)
                .weightDecayBias(0.1, true)
                .list()
                .layer(dense(INPUTS, 8))
                .layer(output(8))
                .build());
        var layer = (BaseLayer) configuration.getConf(0).getLayer();
        assertEquals(srAdam(0.5, 0.2), layer.getIUpdater());
        assertEquals(srAdam(0.25, 0.2), layer.getBiasUpdater());
    }

    /** DL4J's Adam with its decoupled WeightDecay, and SrAdam that has taken it over, do the same in FP32. */
    @Test
    void takenOverWeightDecayIsTheSame() {
        var stock = TestNetworks.network(decayed());
        var ours = TestNetworks.network(Bf16Policy.FP32.apply(decayed()));
        fit(stock, 10);
        fit(ours, 10);
        assertArrayEquals(bits(stock.params()), bits(ours.params()), 1e-4f);
    }

    private static MultiLayerConfiguration decayed() {
        return TestNetworks.builder(new Adam(1e-2))
                .weightDecay(2)
                .list()
                .layer(dense(INPUTS, 8))
                .layer(output(8))
                .build();
    }

    @ParameterizedTest
    @EnumSource(Bf16Policy.class)
    void otherUpdatersStayButForTheirRounding(Bf16Policy policy) {
        var nesterovs = new Nesterovs(0.1, 0.9);
        var rounded = new StochasticallyRounded(nesterovs, 5);
        var configuration = policy.apply(TestNetworks.builder(nesterovs)
                .biasUpdater(rounded)
                .weightDecay(0.1)
                .list()
                .layer(dense(INPUTS, 8))
                .layer(new BatchNormalization.Builder().nIn(8).nOut(8).build())
                .layer(output(8))
                .build());
        var layer = (BaseLayer) configuration.getConf(0).getLayer();
        boolean bf16 = policy.dataType() == DataType.BFLOAT16;
        var write = policy == Bf16Policy.NEAREST ? WeightWrite.NEAREST : WeightWrite.STOCHASTIC;
        assertEquals(bf16 ? new StochasticallyRounded(nesterovs, SEED, write) : nesterovs, layer.getIUpdater());
        assertEquals(bf16 ? new StochasticallyRounded(nesterovs, 5, write) : nesterovs, layer.getUpdaterByParam("b"));
        assertEquals(List.of(new WeightDecay(0.1, true), new WeightDecay(0.1, true)), layer.getRegularization());
        assertEquals(new NoOp(), configuration.getConf(1).getLayer().getUpdaterByParam("mean"));
        fit(TestNetworks.network(configuration), 2);
    }

    @Test
    void anUpdaterThatNamesNoSeedTakesTheNetworks() {
        var named = SrAdam.builder().seed(9).build();
        assertEquals(named, updater(Bf16Policy.SR.apply(TestNetworks.mlpConfiguration(named, DataType.FLOAT)), 0));
        var configuration = TestNetworks.mlpConfiguration(new Adam(1e-2), DataType.FLOAT);
        var other = TestNetworks.mlpConfiguration(new Adam(1e-2), DataType.FLOAT);
        other.getConfs().forEach(conf -> conf.setSeed(4));
        assertEquals(4, ((SrAdam) updater(Bf16Policy.SR.apply(other), 0)).getSeed());
        var first = TestNetworks.network(Bf16Policy.SR.apply(configuration));
        var again = TestNetworks.network(Bf16Policy.SR.apply(configuration));
        var second = TestNetworks.network(Bf16Policy.SR.apply(other));
        second.setParams(first.params());
        for (var network : List.of(first, again, second)) {
            fit(network, 3);
        }
        assertArrayEquals(bits(first.params()), bits(again.params()));
        assertFalse(Arrays.equals(bits(first.params()), bits(second.params())), "other bits for another seed");
    }

    @Test
    void noOpStays() {
        assertEquals(
                new NoOp(), updater(Bf16Policy.SR.apply(TestNetworks.mlpConfiguration(new NoOp(), DataType.FLOAT)), 0));
    }

    @Test
    void wrappedLayersAreReached() {
        var configuration = Bf16Policy.SR.apply(TestNetworks.builder(new Adam(0.5))
                .list()
                .layer(new LastTimeStep(
                        new Bidirectional(new LSTM.Builder().nIn(4).nOut(8).build())))
                .layer(output(16))
                .build());
        var both = (Bidirectional) ((LastTimeStep) configuration.getConf(0).getLayer()).getUnderlying();
        assertEquals(srAdam(0.5, 0), ((BaseLayer) both.getFwd()).getIUpdater());
        assertEquals(srAdam(0.5, 0), ((BaseLayer) both.getBwd()).getIUpdater());
    }

    @Test
    void aDropoutThatKeepsAllIsLeftOut() {
        MultiLayerConfiguration configuration = TestNetworks.mlpConfiguration(new Adam(0.5), DataType.FLOAT);
        Layer layer = configuration.getConf(0).getLayer();
        layer.setIDropout(new Dropout(1));
        assertNull(Bf16Policy.SR.apply(configuration).getConf(0).getLayer().getIDropout());
        assertEquals(new Dropout(1), layer.getIDropout(), "the configuration is left alone");
        for (IDropout kept :
                new IDropout[] {new Dropout(0.5), new Dropout(new FixedSchedule(1)), new AlphaDropout(1)}) {
            layer.setIDropout(kept);
            assertEquals(
                    kept,
                    Bf16Policy.SR.apply(configuration).getConf(0).getLayer().getIDropout());
        }
        configuration.getConf(0).setLayer(new DropoutLayer(new Dropout(1)));
        assertEquals(
                new Dropout(1),
                Bf16Policy.SR.apply(configuration).getConf(0).getLayer().getIDropout());
    }

    @Test
    void whatCannotBeTakenOverIsRefused() {
        assertRefused(
                "optimizationAlgo is LBFGS",
                TestNetworks.builder(new Adam())
                        .optimizationAlgo(OptimizationAlgorithm.LBFGS)
                        .list()
                        .layer(output(INPUTS))
                        .build());
        var falling = new ExponentialSchedule(ScheduleType.ITERATION, 0.1, 0.9);
        assertRefused(
                "The coefficient of the WeightDecay of parameter W of layer layer0 is a schedule",
                TestNetworks.builder(new Adam())
                        .regularization(List.of(new WeightDecay(falling, true)))
                        .list()
                        .layer(output(INPUTS))
                        .build());
        assertRefused(
                "does not follow the learning rate",
                TestNetworks.builder(new Adam(falling))
                        .weightDecay(0.1, false)
                        .list()
                        .layer(output(INPUTS))
                        .build());
    }

    private static void assertRefused(String text, MultiLayerConfiguration configuration) {
        var error = assertThrows(IllegalArgumentException.class, () -> Bf16Policy.SR.apply(configuration));
        assertTrue(error.getMessage().contains(text), error::getMessage);
    }

    /** To and fro, without a step between: what BF16 lacks is kept in masters and, all but 2^-16, in compensations. */
    @ParameterizedTest
    @CsvSource({"O2, 0", "KAHAN, 4e-6", "SR, 4e-3", "NEAREST, 4e-3"})
    void digitsBeyondBf16AreKept(Bf16Policy policy, float tolerance) {
        var network = TestNetworks.mlp(new Adam(1e-2), DataType.FLOAT);
        fit(network, 20);
        var narrow = policy.convert(network);
        assertArrayEquals(
                bits(network.params()), bits(Bf16Policy.FP32.convert(narrow).params()), tolerance);
        assertArrayEquals(
                bits(network.params()),
                bits(Bf16Policy.FP32
                        .convert(policy.convert(Bf16Policy.toComputationGraph(narrow)))
                        .params()),
                tolerance);
        fit(narrow, 20);
        assertTrue(loss(narrow) < loss(network), "the state is sound");
        if (policy == Bf16Policy.O2) {
            var wide = Bf16Policy.FP32.convert(narrow);
            assertArrayEquals(bits(narrow.params()), bits(wide.params().castTo(DataType.BFLOAT16)));
            assertFalse(Arrays.equals(bits(narrow.params()), bits(wide.params())), "masters have more digits");
        }
    }

    @ParameterizedTest
    @EnumSource(Bf16Policy.class)
    void trainedNetworksAreConverted(Bf16Policy policy) {
        var network = TestNetworks.mlp(new Adam(1e-2), DataType.FLOAT);
        var graph = TestNetworks.graph(new Adam(1e-2), DataType.FLOAT);
        fit(network, 20);
        fit(graph, 20);
        float[] trained = bits(network.params());
        var convertedNetwork = policy.convert(network);
        var convertedGraph = policy.convert(graph);
        float[] expected = bits(network.params().castTo(policy.dataType()));
        assertArrayEquals(expected, bits(convertedNetwork.params()));
        assertArrayEquals(expected, bits(convertedGraph.params()));
        assertEquals(0, convertedNetwork.getIterationCount());
        double before = loss(convertedNetwork);
        assertEquals(loss(network), before, 0.02);
        fit(convertedNetwork, 20);
        fit(convertedGraph, 20);
        assertTrue(loss(convertedNetwork) < before);
        assertArrayEquals(bits(convertedNetwork.params()), bits(convertedGraph.params()));
        assertArrayEquals(trained, bits(network.params()), "the original stays");
    }
}
