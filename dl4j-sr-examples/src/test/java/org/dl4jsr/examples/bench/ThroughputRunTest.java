package org.dl4jsr.examples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.TestRuns;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ThroughputRunTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aMeasurementHoldsTimeAndMemory(int accumulate) throws IOException {
        RunConfig config = TestRuns.config("bf16-sr", 2, accumulate, 1);
        ThroughputRun.Result result = ThroughputRun.measure(config, 0, 0);
        assertTrue(result.msOptimizer() > 0 && result.msPerStep() > 0, result.toString());
        assertTrue(
                result.peakBytes() == 0 || result.peakBytes() > config.model().parameters(), result.toString());
    }

    @ParameterizedTest
    @ValueSource(doubles = {2, 5})
    void theFastestRoundCounts(double milliseconds) {
        ThroughputRun.Result best = ThroughputRun.Result.best(
                new ThroughputRun.Result(3, 1, 10), new ThroughputRun.Result(milliseconds, 2, 9));
        assertEquals(new ThroughputRun.Result(Math.min(3, milliseconds), 1, 9), best);
        assertEquals(32_000 / best.msPerStep(), best.tokensPerSecond(TestRuns.config("bf16-sr", 2, 1, 1)));
    }
}
