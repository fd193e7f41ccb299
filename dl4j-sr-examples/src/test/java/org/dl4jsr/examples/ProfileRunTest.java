package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dl4jsr.policy.StepProfile;
import org.junit.jupiter.api.Test;

class ProfileRunTest {

    private static final List<String> PARTS = List.of(
            "GEMM forward",
            "GEMM input gradient",
            "GEMM weight gradient",
            "attention forward",
            "attention backward",
            "layer norm",
            "GELU",
            "bias gradient",
            "embedding",
            "head, loss",
            "gradient norm",
            "optimizer");

    @Test
    void theProfileCountsWhatAStepComputes() {
        RunConfig config = TestRuns.config("bf16-sr", 2, 1, 1);
        Runnable step = BenchRun.step(config, GptNetwork.create(config));
        StepProfile profile = StepProfile.of(step);
        long tokens = config.tokensPerStep();
        long matrices = 2 * 12L * config.width() * config.width() * config.layers() * tokens;
        assertEquals(matrices, part(profile, "GEMM forward").operations());
        assertEquals(matrices, part(profile, "GEMM input gradient").operations());
        assertEquals(matrices, part(profile, "GEMM weight gradient").operations());
        assertEquals(
                2 * tokens * config.width() * (config.context() + 1L) * config.layers(),
                part(profile, "attention forward").operations());
        assertEquals(
                3 * 2 * tokens * config.width() * config.vocabulary(),
                part(profile, "head, loss").operations());
        assertEquals(14 * config.parameters(), part(profile, "optimizer").bytes());
        assertEquals(2 * config.parameters(), part(profile, "gradient norm").bytes());
        for (String name : PARTS) {
            assertTrue(part(profile, name).nanoseconds() > 0, name);
        }
    }

    private static StepProfile.Part part(StepProfile profile, String name) {
        return profile.parts().stream()
                .filter(part -> part.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no part " + name + " in " + profile));
    }

    @Test
    void theTableHoldsEveryPart() {
        String text = ProfileRun.text(TestRuns.config("bf16-sr", 2, 1, 1), 0);
        for (String name : PARTS) {
            assertTrue(text.contains(name), text);
        }
        assertTrue(text.contains("whole step"), text);
    }
}
