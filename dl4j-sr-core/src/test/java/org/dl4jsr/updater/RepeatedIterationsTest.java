package org.dl4jsr.updater;

import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

/** Random bits differ from write to write, whatever iteration number the caller passes. */
@Tag("slow")
class RepeatedIterationsTest {

    static Stream<IUpdater> updaters() {
        return Stream.of(
                new SrAdam(1e-5),
                new StochasticallyRounded(new Sgd(1e-5)),
                new StochasticallyRounded(new Sgd(1e-4), 3));
    }

    private static double unmoved(float[] before, float[] after) {
        int count = 0;
        for (int i = 0; i < before.length; i++) {
            count += before[i] == after[i] ? 1 : 0;
        }
        return count / (double) before.length;
    }

    /** The same gradient a thousand times as iteration 0: every update is far below an ulp, and every weight moves. */
    @ParameterizedTest
    @MethodSource("updaters")
    void externalGradientsOfOneIteration(IUpdater updater) {
        var network = TestNetworks.mlp(updater, DataType.BFLOAT16);
        ExternalGradients.prepare(network);
        network.params().assign(0.5);
        float[] before = bits(network.params());
        INDArray gradient = network.params().dup().assign(1);
        for (int i = 0; i < 1000; i++) {
            ExternalGradients.step(network, gradient, 0);
        }
        double expected = Math.pow(1 - 1e-5 / (0.5 / 256), 1000); // Adam at t = 1 and Sgd(1e-5) step by 1e-5
        double share = unmoved(before, bits(network.params()));
        assertTrue(share < expected + 0.05, () -> share + " have not moved, expected " + expected);
    }

    /** Also where nothing else changes: one weight, whose move is rare. */
    @Test
    void evenASingleWeightMovesInTheEnd() {
        var random = RandomKey.of(0, 1, 2, null);
        for (int i = 1; i < 5; i++) {
            var next = RandomKey.of(0, 1, 2, random);
            assertTrue(next.key(7) != random.key(7));
            random = next;
        }
    }

    @Test
    void clonesWhoseParametersAreTakenOver() {
        ComputationGraph graph = TestNetworks.graph(new SrAdam(1e-5), DataType.BFLOAT16);
        float[] before = bits(graph.params());
        for (int i = 0; i < 150; i++) {
            ComputationGraph clone = graph.clone();
            fit(clone, 1);
            graph.setParams(clone.params());
        }
        // relative to FLOAT, where the sum of steps moves nearly all weights
        double share = unmoved(before, bits(graph.params()));
        assertTrue(share < 0.45, () -> share + " have not moved");
    }

    @Test
    void iterationCountsThatAreSetBack() {
        MultiLayerNetwork network = TestNetworks.mlp(new SrAdam(1e-5), DataType.BFLOAT16);
        float[] before = bits(network.params());
        for (int i = 0; i < 75; i++) {
            network.getLayerWiseConfigurations().setIterationCount(0);
            network.setIterationCount(0);
            fit(network, 2);
        }
        double share = unmoved(before, bits(network.params()));
        assertTrue(share < 0.45, () -> share + " have not moved");
    }

    /** Two networks that have come to the same weights by different ways go on alike: nothing is hidden. */
    @Test
    void theBitsFollowFromWhatIsSaved() {
        var first = TestNetworks.mlp(new SrAdam(1e-3), DataType.BFLOAT16);
        fit(first, 5);
        var second = TestNetworks.mlp(new SrAdam(1e-3), DataType.BFLOAT16);
        fit(second, 2);
        second.setParams(first.params());
        second.getUpdater().getStateViewArray().assign(first.getUpdater().getStateViewArray());
        second.setIterationCount(first.getIterationCount());
        fit(first, 3);
        fit(second, 3);
        assertArrayEquals(bits(first.params()), bits(second.params()));
    }
}
