package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.report.MetricsRow;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

@Tag("slow")
class TrainerTest {

    @ParameterizedTest
    @EnumSource(Bf16Policy.class)
    void everyPolicyLearns(Bf16Policy policy) {
        List<MetricsRow> rows = new ArrayList<>();
        List<TrainingState> checkpoints = new ArrayList<>();
        RunConfig config = TestRuns.config(policy.toString(), 8, 1, 40);
        ComputationGraph network = GptNetwork.create(config);
        assertEquals(config.model().parameters(), network.numParams());
        new Trainer(config, TestRuns.corpus(), network, new Trainer.Listener() {
                    @Override
                    public void row(MetricsRow row) {
                        rows.add(row);
                    }

                    @Override
                    public void checkpoint(TrainingState state, AtomicFile.Content model) {
                        checkpoints.add(state);
                    }
                })
                .run(TrainingState.START, () -> false);

        MetricsRow first = rows.get(0);
        MetricsRow last = rows.get(rows.size() - 1);
        assertEquals(Math.log(256), first.trainLoss(), 0.3);
        assertTrue(last.valLoss() < 3.2, "loss " + last.valLoss());
        assertEquals(Math.exp(last.valLoss()), last.valPerplexity());
        assertEquals(40, rows.size());
        assertEquals(40 * 8 * 16, last.tokens());
        assertTrue(last.gradNorm() > 0 && last.lr() > 0 && last.stagnation() >= 0 && last.stagnation() <= 1);
        assertEquals(
                List.of(20L, 40L), checkpoints.stream().map(TrainingState::step).toList());
        assertEquals(
                List.of(20L * 8 * 16, 40L * 8 * 16),
                checkpoints.stream().map(TrainingState::tokens).toList());
    }

    @Test
    void accumulatedPassesAreOneLargeBatch() {
        INDArray large = parametersAfter(TestRuns.config("fp32", 8, 1, 5));
        INDArray accumulated = parametersAfter(TestRuns.config("fp32", 2, 4, 5));
        double step = large.sub(parametersAfter(TestRuns.config("fp32", 8, 1, 1)))
                .norm2Number()
                .doubleValue();
        assertEquals(0, large.sub(accumulated).norm2Number().doubleValue() / step, 1e-3);
    }

    @Test
    void accumulatedPassesAreOneLargeBatchInBf16() {
        INDArray large = parametersAfter(TestRuns.config("bf16-sr", 8, 1, 5)).castTo(DataType.FLOAT);
        INDArray accumulated =
                parametersAfter(TestRuns.config("bf16-sr", 2, 4, 5)).castTo(DataType.FLOAT);
        INDArray before = parametersAfter(TestRuns.config("bf16-sr", 8, 1, 1)).castTo(DataType.FLOAT);
        double step = large.sub(before).norm2Number().doubleValue();
        assertEquals(0, large.sub(accumulated).norm2Number().doubleValue() / step, 0.3);
    }

    private static INDArray parametersAfter(RunConfig config) {
        ComputationGraph network = GptNetwork.create(config);
        new Trainer(config, TestRuns.corpus(), network, row -> {}).run(TrainingState.START, () -> false);
        return network.params();
    }
}
