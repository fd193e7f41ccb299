package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchRunTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aMeasurementHoldsTimeAndMemory(int accumulate) throws IOException {
        RunConfig config = TestRuns.config("bf16-sr", 2, accumulate, 1);
        BenchRun.Result result = BenchRun.measure(config, 0, 0);
        assertTrue(result.msOptimizer() > 0 && result.msPerStep() > 0, result.toString());
        assertTrue(result.peakRssBytes() == 0 || result.peakRssBytes() > config.parameters(), result.toString());
    }

    @ParameterizedTest
    @ValueSource(doubles = {2, 5})
    void theFastestRoundCounts(double milliseconds) {
        BenchRun.Result best =
                BenchRun.Result.best(new BenchRun.Result(3, 1, 10), new BenchRun.Result(milliseconds, 2, 9));
        assertEquals(new BenchRun.Result(Math.min(3, milliseconds), 1, 9), best);
        assertEquals(32_000 / best.msPerStep(), best.tokensPerSecond(TestRuns.config("bf16-sr", 2, 1, 1)));
    }
}
