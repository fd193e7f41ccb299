package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.core.listener.SystemInfoFilePrintListener;
import org.deeplearning4j.core.listener.SystemInfoPrintListener;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.api.InvocationType;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.listeners.CheckpointListener;
import org.deeplearning4j.optimize.listeners.CollectScoresIterationListener;
import org.deeplearning4j.optimize.listeners.CollectScoresListener;
import org.deeplearning4j.optimize.listeners.ComposableIterationListener;
import org.deeplearning4j.optimize.listeners.EvaluativeListener;
import org.deeplearning4j.optimize.listeners.FailureTestingListener;
import org.deeplearning4j.optimize.listeners.PerformanceListener;
import org.deeplearning4j.optimize.listeners.ScoreIterationListener;
import org.deeplearning4j.optimize.listeners.SleepyTrainingListener;
import org.deeplearning4j.optimize.listeners.TimeIterationListener;
import org.deeplearning4j.optimize.listeners.callbacks.ModelSavingCallback;
import org.deeplearning4j.ui.model.stats.J7StatsListener;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;

@Tag("slow")
class ListenersTest {

    private static MultiLayerNetwork network(IUpdater updater, Bf16Policy policy) {
        return TestNetworks.network(policy.apply(TestNetworks.mlpConfiguration(updater, DataType.FLOAT)));
    }

    private static ComputationGraph graph() {
        var graph = new ComputationGraph(
                Bf16Policy.SR.apply(TestNetworks.graphConfiguration(new Adam(5e-3), DataType.FLOAT)));
        graph.init();
        return graph;
    }

    private static ListDataSetIterator<DataSet> data() {
        return new ListDataSetIterator<>(DATA.asList(), 32);
    }

    /** Whoever listens changes nothing. */
    @Test
    @SuppressWarnings("deprecation") // deprecated ones, too
    void listenersOfAllKindsAtOnce(@TempDir Path directory) {
        TrainingListener[] all = {
            new ScoreIterationListener(1),
            new PerformanceListener(1, true),
            new CollectScoresIterationListener(1),
            new CollectScoresListener(1),
            new TimeIterationListener(12),
            new SleepyTrainingListener(),
            new EvaluativeListener(data(), 4, InvocationType.ITERATION_END),
            new ComposableIterationListener(new ScoreIterationListener(2)),
            new J7StatsListener(new InMemoryStatsStorage(), 1),
            SystemInfoPrintListener.builder().printOnEpochStart(true).build(),
            SystemInfoFilePrintListener.builder()
                    .printOnEpochEnd(true)
                    .printFileTarget(directory.resolve("system").toFile())
                    .build()
        };
        for (IUpdater updater : List.of(new Adam(5e-3), new Nesterovs(0.05, 0.9))) {
            var quiet = network(updater, Bf16Policy.SR);
            var heard = network(updater, Bf16Policy.SR);
            heard.setListeners(all);
            quiet.fit(data(), 2);
            heard.fit(data(), 2);
            assertArrayEquals(bits(quiet.params()), bits(heard.params()));
        }
    }

    @Test
    void collectedScoresAreThoseOfFloat() {
        var wide = new CollectScoresListener(1);
        var narrow = new CollectScoresListener(1);
        var wideNetwork = network(new Adam(5e-3), Bf16Policy.FP32);
        var narrowNetwork = network(new Adam(5e-3), Bf16Policy.SR);
        wideNetwork.setListeners(wide);
        narrowNetwork.setListeners(narrow);
        fit(wideNetwork, 30);
        fit(narrowNetwork, 30);
        assertEquals(30, narrow.getListScore().size());
        IntStream.range(0, 30)
                .forEach(i -> assertEquals(
                        wide.getListScore().getDouble(i), narrow.getListScore().getDouble(i), 0.01, "iteration " + i));
        assertTrue(narrow.getListScore().getDouble(29)
                < 0.5 * narrow.getListScore().getDouble(0));
    }

    @Test
    void evaluationAndSavingWhileTraining(@TempDir Path directory) throws IOException {
        var listener = new EvaluativeListener(data(), 1, InvocationType.EPOCH_END, new Evaluation());
        listener.setCallback(new ModelSavingCallback(directory.toFile(), "%d.zip"));
        var graph = graph();
        graph.setListeners(listener);
        graph.fit(data(), 8);
        assertTrue(((Evaluation) listener.getEvaluations()[0]).accuracy() > 0.8);
        var saved = ComputationGraph.load(directory.resolve("8.zip").toFile(), true);
        assertArrayEquals(bits(graph.params()), bits(saved.params()));
    }

    /** DL4J counts an iteration after its listeners: what they save has to be told that it is one further. */
    @Test
    void checkpoints(@TempDir Path directory) throws IOException {
        var network = network(new Adam(5e-3), Bf16Policy.SR);
        network.setListeners(checkpointsIn(directory.resolve("network")));
        fit(network, 7);
        var restored = CheckpointListener.loadLastCheckpointMLN(
                directory.resolve("network").toFile());
        restored.setIterationCount(restored.getIterationCount() + 1);
        fit(restored, 7 - restored.getIterationCount());
        assertArrayEquals(bits(network.params()), bits(restored.params()));

        var graph = graph();
        graph.setListeners(checkpointsIn(directory.resolve("graph")));
        fit(graph, 7);
        var restoredGraph = CheckpointListener.loadLastCheckpointCG(
                directory.resolve("graph").toFile());
        restoredGraph.getConfiguration().setIterationCount(restoredGraph.getIterationCount() + 1);
        fit(restoredGraph, 7 - restoredGraph.getIterationCount());
        assertArrayEquals(bits(graph.params()), bits(restoredGraph.params()));
    }

    private static CheckpointListener checkpointsIn(Path directory) throws IOException {
        Files.createDirectory(directory);
        return new CheckpointListener.Builder(directory.toFile())
                .keepLast(2)
                .saveEveryNIterations(2)
                .build();
    }

    @Test
    void failuresComeThrough() {
        var network = network(new Adam(5e-3), Bf16Policy.SR);
        network.setListeners(new FailureTestingListener(
                FailureTestingListener.FailureMode.ILLEGAL_STATE,
                new FailureTestingListener.IterationEpochTrigger(false, 3)));
        assertThrows(IllegalStateException.class, () -> fit(network, 5));
        network.setListeners();
        fit(network, 5);
        assertTrue(TestNetworks.loss(network) < 1.6);
    }
}
