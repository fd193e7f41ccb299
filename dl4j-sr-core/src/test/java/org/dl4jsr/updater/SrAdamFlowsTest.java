package org.dl4jsr.updater;

import static org.dl4jsr.updater.TestNetworks.CLASSES;
import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.INPUTS;
import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.dl4jsr.updater.TestNetworks.loss;
import static org.dl4jsr.updater.TestNetworks.output;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.saver.InMemoryModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.util.ModelSerializer;
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
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Everything that DL4J does with a network and its updater. */
@Tag("slow")
class SrAdamFlowsTest {

    static Stream<Arguments> typesAndWrites() {
        return SrAdamTrainingTest.typesAndWrites();
    }

    private static SrAdam adam(WeightWrite write) {
        return SrAdam.builder()
                .learningRate(5e-3)
                .weightDecay(0.01)
                .weightWrite(write)
                .seed(9)
                .build();
    }

    private static void assertSameNetworks(Model expected, Model actual) {
        assertArrayEquals(bits(expected.params()), bits(actual.params()));
        assertArrayEquals(bits(state(expected)), bits(state(actual)));
    }

    private static INDArray state(Model model) {
        return model instanceof MultiLayerNetwork network
                ? network.getUpdater().getStateViewArray()
                : ((ComputationGraph) model).getUpdater().getStateViewArray();
    }

    private static byte[] saved(Model model) throws IOException {
        var stream = new ByteArrayOutputStream();
        ModelSerializer.writeModel(model, stream, true);
        return stream.toByteArray();
    }

    @ParameterizedTest
    @MethodSource("typesAndWrites")
    void aRestoredLayerNetworkGoesOnBitForBit(DataType type, WeightWrite write) throws IOException {
        var network = TestNetworks.mlp(adam(write), type);
        fit(network, 3);
        var restored = ModelSerializer.restoreMultiLayerNetwork(new ByteArrayInputStream(saved(network)));
        assertSameNetworks(network, restored);
        fit(network, 3);
        fit(restored, 3);
        assertSameNetworks(network, restored);
    }

    @ParameterizedTest
    @MethodSource("typesAndWrites")
    void aRestoredGraphGoesOnBitForBit(DataType type, WeightWrite write) throws IOException {
        var graph = TestNetworks.graph(adam(write), type);
        fit(graph, 3);
        var restored = ModelSerializer.restoreComputationGraph(new ByteArrayInputStream(saved(graph)));
        assertSameNetworks(graph, restored);
        fit(graph, 3);
        fit(restored, 3);
        assertSameNetworks(graph, restored);
    }

    /** ComputationGraph.clone starts counting iterations at 0, with any updater. */
    @ParameterizedTest
    @MethodSource("typesAndWrites")
    void clonesGoOnBitForBit(DataType type, WeightWrite write) {
        var network = TestNetworks.mlp(adam(write), type);
        var graph = TestNetworks.graph(adam(write), type);
        for (Model model : List.of(network, graph)) {
            fit(model, 3);
            Model copy = model == network ? network.clone() : graph.clone();
            if (copy instanceof ComputationGraph graphCopy) {
                graphCopy.getConfiguration().setIterationCount(graph.getIterationCount());
            }
            assertSameNetworks(model, copy);
            fit(model, 2);
            fit(copy, 2);
            assertSameNetworks(model, copy);
        }
    }

    @ParameterizedTest
    @EnumSource(WeightWrite.class)
    void setLearningRateKeepsTheState(WeightWrite write) {
        var network = TestNetworks.mlp(adam(write), DataType.BFLOAT16);
        var graph = TestNetworks.graph(adam(write), DataType.BFLOAT16);
        for (Model model : List.of(network, graph)) {
            fit(model, 3);
            float[] weights = bits(model.params());
            float[] state = bits(state(model));
            if (model == network) {
                network.setLearningRate(0);
            } else {
                graph.setLearningRate(new WarmupCosineSchedule(0, 100, 1e-2, 0));
            }
            assertArrayEquals(state, bits(state(model)));
            fit(model, 1);
            if (write != WeightWrite.KAHAN || model == graph) {
                assertEquals(model == network, Arrays.equals(weights, bits(model.params())));
            }
            assertFalse(Arrays.equals(state, bits(state(model))));
        }
    }

    @ParameterizedTest
    @EnumSource(WeightWrite.class)
    void setLearningRateOfOneLayerKeepsTheState(WeightWrite write) {
        var once = TestNetworks.mlp(adam(write), DataType.BFLOAT16);
        var split = TestNetworks.mlp(adam(write), DataType.BFLOAT16);
        fit(once, 3);
        fit(split, 3);
        split.setLearningRate(1, 1e-2);
        split.setLearningRate(1, 5e-3);
        split.setLearningRate(2, 0);
        INDArray before = split.params().dup();
        fit(once, 1);
        fit(split, 1);
        for (ParameterRange range : ParameterRange.of(split)) {
            var interval = NDArrayIndex.interval(range.start(), range.end());
            INDArray expected = range.layer().equals("layer2") && write != WeightWrite.KAHAN ? before : once.params();
            if (!range.layer().equals("layer2") || write != WeightWrite.KAHAN) {
                assertArrayEquals(
                        bits(expected.reshape(expected.length()).get(interval)),
                        bits(split.params().reshape(expected.length()).get(interval)),
                        range.layer() + " " + range.parameter());
            }
        }
    }

    /** Two rates cut the updaters' blocks, one joins them again. */
    @ParameterizedTest
    @EnumSource(WeightWrite.class)
    void setLearningRateOfAllLayersKeepsTheState(WeightWrite write) {
        var once = TestNetworks.mlp(adam(write), DataType.BFLOAT16);
        var split = TestNetworks.mlp(adam(write), DataType.BFLOAT16);
        fit(once, 3);
        fit(split, 3);
        split.setLearningRate(1, 1e-2);
        split.setLearningRate(5e-3);
        fit(once, 1);
        fit(split, 1);
        assertSameNetworks(once, split);
    }

    @Test
    void parametersSetFromOutsideReplaceTheMasters() {
        var network = TestNetworks.mlp(adam(WeightWrite.MASTER), DataType.BFLOAT16);
        fit(network, 5);
        var other = TestNetworks.mlp(adam(WeightWrite.MASTER), DataType.BFLOAT16);
        network.setParams(other.params());
        network.setLearningRate(0);
        float[] weights = bits(network.params());
        fit(network, 1);
        assertArrayEquals(weights, bits(network.params()));
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void earlyStopping(DataType type) {
        var network = TestNetworks.mlp(new SrAdam(5e-3), type);
        double before = loss(network);
        var data = new ListDataSetIterator<>(DATA.asList(), 32);
        var configuration = new EarlyStoppingConfiguration.Builder<MultiLayerNetwork>()
                .epochTerminationConditions(new MaxEpochsTerminationCondition(8))
                .scoreCalculator(new DataSetLossCalculator(data, true))
                .modelSaver(new InMemoryModelSaver<>())
                .build();
        var result = new EarlyStoppingTrainer(configuration, network, data).fit();
        assertTrue(loss(result.getBestModel()) < 0.7 * before, () -> before + " " + loss(result.getBestModel()));
    }

    @ParameterizedTest
    @MethodSource("typesAndWrites")
    void transferLearningOfALayerNetwork(DataType type, WeightWrite write) {
        var network = TestNetworks.mlp(adam(write), type);
        fit(network, 10);
        var transferred = new TransferLearning.Builder(network)
                .fineTuneConfiguration(
                        new FineTuneConfiguration.Builder().updater(adam(write)).build())
                .setFeatureExtractor(0)
                .nOutReplace(2, CLASSES, WeightInit.XAVIER)
                .build();
        checkTransfer(network, transferred, "layer0");
    }

    /** TransferLearning.GraphBuilder always builds a FLOAT graph, whatever it is given. */
    @ParameterizedTest
    @MethodSource("typesAndWrites")
    void transferLearningOfAGraph(DataType type, WeightWrite write) {
        var graph = TestNetworks.graph(adam(write), type);
        fit(graph, 10);
        var transferred = new TransferLearning.GraphBuilder(graph)
                .fineTuneConfiguration(
                        new FineTuneConfiguration.Builder().updater(adam(write)).build())
                .setFeatureExtractor("first")
                .nOutReplace("out", CLASSES, WeightInit.XAVIER)
                .build()
                .convertDataType(type);
        checkTransfer(graph, transferred, "first");
    }

    private static void checkTransfer(Model original, Model transferred, String frozen) {
        assertEquals(original.params().dataType(), transferred.params().dataType());
        INDArray before = transferred.params().dup();
        double lossBefore = loss(transferred);
        fit(transferred, 20);
        assertTrue(loss(transferred) < lossBefore, () -> lossBefore + " became " + loss(transferred));
        for (ParameterRange range : ParameterRange.of(transferred)) {
            var interval = NDArrayIndex.interval(range.start(), range.end());
            assertEquals(
                    range.layer().equals(frozen),
                    Arrays.equals(
                            bits(before.reshape(before.length()).get(interval)),
                            bits(transferred.params().reshape(before.length()).get(interval))),
                    range.layer() + " " + range.parameter() + " moved?");
        }
    }

    @ParameterizedTest
    @MethodSource("typesAndWrites")
    void layerwisePretraining(DataType type, WeightWrite write) {
        var network = TestNetworks.network(
                TestNetworks.builder(adam(write))
                        .list()
                        .layer(new AutoEncoder.Builder()
                                .nIn(INPUTS)
                                .nOut(8)
                                .corruptionLevel(0)
                                .activation(Activation.TANH)
                                .lossFunction(LossFunction.MSE)
                                .build())
                        .layer(output(8))
                        .build(),
                type);
        float[] before = bits(network.params());
        network.pretrainLayer(0, new ListDataSetIterator<>(DATA.asList(), 32), 5);
        float[] after = bits(network.params());
        int pretrained = (int) network.getLayer(0).numParams();
        int moved = 0;
        for (int i = 0; i < before.length; i++) {
            moved += before[i] != after[i] ? 1 : 0;
            assertTrue(i < pretrained || before[i] == after[i], "element " + i);
        }
        assertTrue(moved > 0.9 * pretrained, moved + " of " + pretrained);
        double supervised = loss(network);
        fit(network, 20);
        assertTrue(loss(network) < supervised);
    }

    @Test
    void truncatedBackpropagationThroughTime() {
        var configuration = TestNetworks.builder(new SrAdam(3e-2))
                .list()
                .layer(new LSTM.Builder().nIn(4).nOut(8).build())
                .layer(new RnnOutputLayer.Builder(LossFunction.MSE)
                        .nIn(8)
                        .nOut(2)
                        .build())
                .backpropType(BackpropType.TruncatedBPTT)
                .tBPTTLength(5)
                .build();
        var network = TestNetworks.network(configuration, DataType.BFLOAT16);
        var random = new Random(1);
        INDArray features = Nd4j.create(DataType.FLOAT, 8, 4, 15);
        for (long i = 0; i < features.length(); i++) {
            features.putScalar(i, random.nextGaussian());
        }
        INDArray labels = features.get(NDArrayIndex.all(), NDArrayIndex.interval(0, 2), NDArrayIndex.all())
                .dup();
        var data = new DataSet(features, labels);
        double before = error(network, data);
        for (int i = 0; i < 20; i++) {
            network.fit(data);
        }
        assertEquals(60, network.getIterationCount());
        assertTrue(error(network, data) < 0.9 * before, () -> before + " became " + error(network, data));
    }

    private static double error(MultiLayerNetwork network, DataSet data) {
        INDArray difference =
                network.output(data.getFeatures()).castTo(DataType.FLOAT).sub(data.getLabels());
        return difference.norm2Number().doubleValue();
    }
}
