package org.dl4jsr.backend.unified;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.dl4jsr.backend.Bf16CpuBackend;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** A GPU that NVRTC does not compile for is refused before ND4J starts, not by the first kernel. */
@Tag("slow")
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class OldGpuTest {

    @Test
    void isRefusedInOneLine(@TempDir Path directory) throws Exception {
        String output = FakeGpuProcess.outcome(directory, Map.of("FAKE_GPU_CAPABILITY", "60"), OldGpuTest.class)
                .output();
        assertTrue(output.contains("org.dl4jsr.device is gpu, but NVRTC 13."), output);
        assertTrue(output.contains(", this GPU has 60: use a CUDA version that supports it"), output);
    }

    /** Says what {@link FakeGpuProcess} has asked for in vain. */
    public static void main(String[] none) {
        System.out.println(Bf16CpuBackend.problem());
    }
}
