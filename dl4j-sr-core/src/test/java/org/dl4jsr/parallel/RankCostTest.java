package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The formula against bytes that were sent and state that was kept. */
@Timeout(60)
class RankCostTest {

    @ParameterizedTest
    @CsvSource({"REPLICATED,2,2", "SHARDED,2,4", "REPLICATED,3,4", "SHARDED,4,5"})
    void theFormulaIsWhatIsCounted(Mode mode, int ranks, int parts) throws Exception {
        Tasks task = Tasks.mlp();
        List<long[]> counted = Ranks.run(ranks, collective -> {
            Model network = task.network().get();
            var training = new DataParallel(network, collective, mode);
            training.step(0, parts, task.batches());
            return new long[] {collective.bytesSent(), training.stateBytes(), network.numParams()};
        });
        RankCost cost = RankCost.of(mode, counted.get(0)[2], 2, 4, ranks, parts);
        // slices are whole blocks, of which this network has two
        double block = 4096 * 2;
        assertEquals(
                cost.sent(),
                counted.stream().mapToLong(rank -> rank[0]).average().orElseThrow(),
                parts * block);
        assertEquals(
                cost.state(),
                counted.stream().mapToLong(rank -> rank[1]).average().orElseThrow(),
                1);
    }
}
