package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.loss;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.parallelism.ParallelWrapper;
import org.dl4jsr.rounding.WeightWrite;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.updater.StochasticallyRounded;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;

/**
 * Data parallel training by parameter averaging. DL4J starts its replicas while the first one trains already, so that
 * no two runs are equal bit for bit, in FLOAT either.
 */
@Tag("slow")
@Timeout(120)
class ParallelWrapperTest {

    static Stream<IUpdater> updaters() {
        return Stream.of(new SrAdam(5e-3), new StochasticallyRounded(new Nesterovs(0.05, 0.9)));
    }

    @SuppressWarnings("try") // close() may throw InterruptedException
    private static void train(Model model) throws Exception {
        try (var wrapper = new ParallelWrapper.Builder<>(model)
                .workers(2)
                .averagingFrequency(2)
                .prefetchBuffer(2)
                .workspaceMode(WorkspaceMode.ENABLED)
                .trainingMode(ParallelWrapper.TrainingMode.AVERAGING)
                .build()) {
            wrapper.fit(new ListDataSetIterator<>(
                    Collections.nCopies(6, DATA.asList()).stream()
                            .flatMap(List::stream)
                            .toList(),
                    16));
        }
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void averagedLayerNetworksTrainAsInFloat(IUpdater updater) throws Exception {
        assertTrainsAlike(
                TestNetworks.mlp(updater.clone(), DataType.FLOAT),
                TestNetworks.mlp(updater.clone(), DataType.BFLOAT16));
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void averagedGraphsTrainAsInFloat(IUpdater updater) throws Exception {
        assertTrainsAlike(
                TestNetworks.graph(updater.clone(), DataType.FLOAT),
                TestNetworks.graph(updater.clone(), DataType.BFLOAT16));
    }

    private static void assertTrainsAlike(Model wide, Model narrow) throws Exception {
        double before = loss(wide);
        train(wide);
        train(narrow);
        assertTrue(loss(wide) < 0.5 * before, () -> before + " became " + loss(wide));
        assertEquals(loss(wide), loss(narrow), 0.03);
    }

    /** FP32 masters in BF16 arrays cannot be averaged. */
    @Test
    void mastersAreRefused() {
        var network = TestNetworks.mlp(
                SrAdam.builder().weightWrite(WeightWrite.MASTER).build(), DataType.BFLOAT16);
        var error = assertThrows(RuntimeException.class, () -> train(network));
        Throwable cause = error;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String message = cause.getMessage();
        assertTrue(message.contains("MASTER bears neither parameter averaging nor"), () -> "" + error);
    }
}
