package org.dl4jsr.benchmarks.families;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;

/** {@code rnnTimeStep} of a trained BF16 network, step by step, gives what {@code output} gives for the sequence. */
class RecurrentInferenceTest {

    /** Some BF16 roundings of probabilities. */
    private static final double TOLERANCE = 0.01;

    @ParameterizedTest
    @MethodSource("layers")
    void networkStepByStep(Layer layer) {
        Family family = family(layer);
        var network = new MultiLayerNetwork(Bf16Policy.SR.apply(family.network().apply(builder())));
        network.init();
        INDArray features = family.data().getFeatures(0);
        for (int i = 0; i < 20; i++) {
            network.fit(features, family.data().getLabels(0));
        }
        INDArray expected = network.output(features);
        for (int t = 0; t < Tasks.STEPS; t++) {
            assertNear(step(expected, t), network.rnnTimeStep(step(features, t)));
        }
        network.rnnClearPreviousState();
        assertNear(step(expected, 0), network.rnnTimeStep(step(features, 0)));
    }

    @ParameterizedTest
    @MethodSource("layers")
    void graphStepByStep(Layer layer) {
        Family family = family(layer);
        var graph = new ComputationGraph(Bf16Policy.SR.apply(family.graph().apply(builder())));
        graph.init();
        INDArray features = family.data().getFeatures(0);
        for (int i = 0; i < 20; i++) {
            graph.fit(family.data());
        }
        INDArray expected = graph.outputSingle(features);
        for (int t = 0; t < Tasks.STEPS; t++) {
            assertNear(step(expected, t), graph.rnnTimeStep(step(features, t))[0]);
        }
        graph.rnnClearPreviousState();
        assertNear(step(expected, 0), graph.rnnTimeStep(step(features, 0))[0]);
    }

    @SuppressWarnings("deprecation") // GravesLSTM, too
    static Stream<Layer> layers() {
        return Stream.of(
                new LSTM.Builder().nOut(6).build(),
                new GravesLSTM.Builder().nOut(6).build(),
                new SimpleRnn.Builder().nOut(6).build());
    }

    private static Family family(Layer layer) {
        return Family.chain("", Tasks.steps(4), InputType.recurrent(4, Tasks.STEPS), layer, Layers.stepClassifier());
    }

    private static NeuralNetConfiguration.Builder builder() {
        return new NeuralNetConfiguration.Builder().seed(1).updater(new Adam(1e-2));
    }

    /** The step as an array [example, size]. */
    private static INDArray step(INDArray sequence, int t) {
        return sequence.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.point(t))
                .dup();
    }

    private static void assertNear(INDArray expected, INDArray actual) {
        assertEquals(DataType.FLOAT, actual.dataType());
        assertEquals(
                0,
                expected.castTo(DataType.FLOAT)
                        .sub(actual.castTo(DataType.FLOAT))
                        .amaxNumber()
                        .doubleValue(),
                TOLERANCE);
    }
}
