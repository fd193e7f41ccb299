package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;

/** So many ranks end with the same bits as one. */
@Tag("slow")
@Timeout(240)
class DataParallelTest {

    private static final int STEPS = 50;
    private static final int PARTS = 4;

    static Stream<Tasks> tasks() {
        return Stream.of(
                Tasks.mlp(),
                Tasks.mlp("FP32 Adam", Bf16Policy.FP32, new Adam(5e-3)),
                Tasks.mlp("Nesterovs", Bf16Policy.SR, new Nesterovs(1e-2)),
                Tasks.batchNormalization(),
                Tasks.dropout(),
                Tasks.lstm(),
                Tasks.gpt());
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void anyNumberOfRanksGivesTheSameBits(Tasks task) throws Exception {
        List<String> alone = train(task, 1, Mode.REPLICATED);
        for (int ranks = 2; ranks <= PARTS; ranks++) {
            Mode mode = ranks % 2 == 0 && task.canBeSharded() ? Mode.SHARDED : Mode.REPLICATED;
            for (String end : train(task, ranks, mode)) {
                assertEquals(alone.get(0), end, ranks + " ranks, " + mode);
            }
        }
    }

    private static List<String> train(Tasks task, int ranks, Mode mode) throws Exception {
        return Ranks.run(ranks, collective -> {
            Model network = task.network().get();
            String start = Digests.of(network);
            var training = new DataParallel(network, collective, mode);
            double first = 0;
            double last = 0;
            for (int step = 0; step < STEPS; step++) {
                last = training.step(step, PARTS, task.batches());
                first = step == 0 ? last : first;
            }
            training.end();
            assertNotEquals(start, Digests.of(network));
            return Digests.of(network) + " " + first + " " + last;
        });
    }
}
