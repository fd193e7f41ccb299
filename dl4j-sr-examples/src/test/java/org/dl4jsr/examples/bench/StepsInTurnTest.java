package org.dl4jsr.examples.bench;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dl4jsr.examples.run.TestRuns;
import org.junit.jupiter.api.Test;

class StepsInTurnTest {

    @Test
    void ratiosAreToTheFirstPolicy() {
        String text =
                StepsInTurn.of(List.of(TestRuns.config("bf16-o2", 2, 1, 1), TestRuns.config("bf16-sr", 2, 1, 1)), 0, 0);
        assertTrue(text.contains("2 steps of each"), text);
        List<String> lines = text.lines().toList();
        assertTrue(lines.get(lines.size() - 2).matches("bf16-o2 .* 1\\.000 +-"), text);
        assertTrue(lines.get(lines.size() - 1).matches("bf16-sr .* \\d\\.\\d{3} to \\d+\\.\\d{3}"), text);
    }
}
