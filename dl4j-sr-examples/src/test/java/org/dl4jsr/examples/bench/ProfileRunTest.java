package org.dl4jsr.examples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.TestRuns;
import org.dl4jsr.op.KernelOp;
import org.junit.jupiter.api.Test;

class ProfileRunTest {

    @Test
    void theProfileCountsWhatAStepComputes() {
        RunConfig config = TestRuns.config("bf16-sr", 2, 1, 1);
        Runnable step = new TrainingStep(config);
        StepProfile profile = new StepProfile(config.model().vocabulary());
        KernelOp.setListener(profile);
        try {
            step.run();
        } finally {
            KernelOp.setListener(null);
        }
        long tokens = config.tokensPerStep();
        long matrices = 2
                * 12L
                * config.model().width()
                * config.model().width()
                * config.model().layers()
                * tokens;
        assertEquals(matrices, profile.of(StepProfile.Part.GEMM_FORWARD).operations);
        assertEquals(matrices, profile.of(StepProfile.Part.GEMM_INPUT).operations);
        assertEquals(matrices, profile.of(StepProfile.Part.GEMM_WEIGHT).operations);
        assertEquals(
                2
                        * tokens
                        * config.model().width()
                        * (config.model().context() + 1L)
                        * config.model().layers(),
                profile.of(StepProfile.Part.ATTENTION_FORWARD).operations);
        assertEquals(
                3 * 2 * tokens * config.model().width() * config.model().vocabulary(),
                profile.of(StepProfile.Part.HEAD).operations);
        assertEquals(14 * config.model().parameters(), profile.of(StepProfile.Part.OPTIMIZER).bytes);
        assertEquals(2 * config.model().parameters(), profile.of(StepProfile.Part.CLIPPING).bytes);
        for (StepProfile.Part part : StepProfile.Part.values()) {
            assertTrue(profile.of(part).nanoseconds > 0, part.toString());
        }
    }

    @Test
    void theTableHoldsEveryPart() {
        String text = ProfileRun.text(TestRuns.config("bf16-sr", 2, 1, 1), 0);
        for (StepProfile.Part part : StepProfile.Part.values()) {
            assertTrue(text.contains(part.toString()), text);
        }
        assertTrue(text.contains("whole step"), text);
    }
}
