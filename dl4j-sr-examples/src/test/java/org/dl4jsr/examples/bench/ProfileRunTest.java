package org.dl4jsr.examples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.dl4jsr.examples.run.ModelShape;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.TestRuns;
import org.dl4jsr.policy.StepProfile;
import org.dl4jsr.policy.StepProfile.Part;
import org.junit.jupiter.api.Test;

class ProfileRunTest {

    private static final List<String> PARTS = List.of(
            "GEMM forward",
            "GEMM input gradient",
            "GEMM weight gradient",
            "attention forward",
            "attention backward",
            "layer norm",
            "activation",
            "bias gradient",
            "embedding",
            "head, loss",
            "gradient norm",
            "optimizer");

    @Test
    void theProfileCountsWhatAStepComputes() {
        RunConfig config = TestRuns.config("bf16-sr", 2, 1, 1);
        ModelShape model = config.model();
        Map<String, Part> parts =
                StepProfile.of(new TrainingStep(config)).parts().stream().collect(Collectors.toMap(Part::name, p -> p));
        long tokens = config.tokensPerStep();
        long matrices = 2 * 12L * model.width() * model.width() * model.layers() * tokens;
        assertEquals(matrices, parts.get("GEMM forward").operations());
        assertEquals(matrices, parts.get("GEMM input gradient").operations());
        assertEquals(matrices, parts.get("GEMM weight gradient").operations());
        assertEquals(
                2 * tokens * model.width() * (model.context() + 1L) * model.layers(),
                parts.get("attention forward").operations());
        assertEquals(
                3 * 2 * tokens * model.width() * model.vocabulary(),
                parts.get("head, loss").operations());
        assertEquals(14 * model.parameters(), parts.get("optimizer").bytes());
        assertEquals(4 * model.parameters(), parts.get("gradient norm").bytes()); // and that of the weights
        for (String part : PARTS) {
            assertTrue(parts.get(part).nanoseconds() > 0, part);
        }
    }

    @Test
    void theTableHoldsEveryPart() {
        String text = ProfileRun.text(TestRuns.config("bf16-sr", 2, 1, 1), 0);
        for (String part : PARTS) {
            assertTrue(text.contains(part), text);
        }
        assertTrue(text.contains("whole step"), text);
    }
}
