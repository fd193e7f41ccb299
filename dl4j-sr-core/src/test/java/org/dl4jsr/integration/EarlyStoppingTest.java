package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.loss;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.earlystopping.EarlyStoppingConfiguration;
import org.deeplearning4j.earlystopping.EarlyStoppingModelSaver;
import org.deeplearning4j.earlystopping.EarlyStoppingResult;
import org.deeplearning4j.earlystopping.saver.LocalFileGraphSaver;
import org.deeplearning4j.earlystopping.saver.LocalFileModelSaver;
import org.deeplearning4j.earlystopping.scorecalc.ClassificationScoreCalculator;
import org.deeplearning4j.earlystopping.scorecalc.DataSetLossCalculator;
import org.deeplearning4j.earlystopping.scorecalc.RegressionScoreCalculator;
import org.deeplearning4j.earlystopping.scorecalc.ScoreCalculator;
import org.deeplearning4j.earlystopping.termination.InvalidScoreIterationTerminationCondition;
import org.deeplearning4j.earlystopping.termination.MaxEpochsTerminationCondition;
import org.deeplearning4j.earlystopping.termination.MaxScoreIterationTerminationCondition;
import org.deeplearning4j.earlystopping.termination.MaxTimeIterationTerminationCondition;
import org.deeplearning4j.earlystopping.termination.ScoreImprovementEpochTerminationCondition;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingGraphTrainer;
import org.deeplearning4j.earlystopping.trainer.EarlyStoppingTrainer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.evaluation.regression.RegressionEvaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;

@Tag("slow")
class EarlyStoppingTest {

    @TempDir
    private Path directory;

    static Stream<ScoreCalculator<? extends Model>> scores() {
        return Stream.of(
                new DataSetLossCalculator(data(), true),
                new ClassificationScoreCalculator(Evaluation.Metric.F1, data()),
                new RegressionScoreCalculator(RegressionEvaluation.Metric.MSE, data()));
    }

    private static ListDataSetIterator<DataSet> data() {
        return new ListDataSetIterator<>(DATA.asList(), 32);
    }

    @ParameterizedTest
    @MethodSource("scores")
    void ofLayerNetworks(ScoreCalculator<MultiLayerNetwork> score) {
        var network = TestNetworks.network(
                Bf16Policy.SR.apply(TestNetworks.mlpConfiguration(new Adam(5e-3), DataType.FLOAT)));
        assertLearned(
                loss(network),
                new EarlyStoppingTrainer(
                                configuration(score, new LocalFileModelSaver(directory.toFile())), network, data())
                        .fit());
    }

    @ParameterizedTest
    @MethodSource("scores")
    void ofGraphs(ScoreCalculator<ComputationGraph> score) {
        var graph = new ComputationGraph(
                Bf16Policy.SR.apply(TestNetworks.graphConfiguration(new Adam(5e-3), DataType.FLOAT)));
        graph.init();
        assertLearned(
                loss(graph),
                new EarlyStoppingGraphTrainer(
                                configuration(score, new LocalFileGraphSaver(directory.toString())), graph, data())
                        .fit());
    }

    private static <T extends Model> EarlyStoppingConfiguration<T> configuration(
            ScoreCalculator<T> score, EarlyStoppingModelSaver<T> saver) {
        return new EarlyStoppingConfiguration.Builder<T>()
                .epochTerminationConditions(
                        new MaxEpochsTerminationCondition(6), new ScoreImprovementEpochTerminationCondition(5))
                .iterationTerminationConditions(
                        new InvalidScoreIterationTerminationCondition(),
                        new MaxScoreIterationTerminationCondition(10),
                        new MaxTimeIterationTerminationCondition(1, TimeUnit.MINUTES))
                .scoreCalculator(score)
                .modelSaver(saver)
                .build();
    }

    private static void assertLearned(double before, EarlyStoppingResult<? extends Model> result) {
        assertEquals(EarlyStoppingResult.TerminationReason.EpochTerminationCondition, result.getTerminationReason());
        assertEquals(DataType.BFLOAT16, result.getBestModel().params().dataType());
        double after = loss(result.getBestModel());
        assertTrue(after < 0.6 * before, () -> before + " became " + after);
    }
}
