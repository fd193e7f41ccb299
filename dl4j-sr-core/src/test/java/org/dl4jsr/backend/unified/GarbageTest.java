package org.dl4jsr.backend.unified;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** Arrays that nobody has any more make room on a GPU whose memory is all taken, whatever Java's heap still holds. */
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class GarbageTest {

    private static final long MEMORY = 640L << 20; // 128 MiB more than is left to CUDA itself
    private static final int LENGTH = 4 << 20; // 16 MiB
    private static final int ARRAYS = 20;

    @Test
    void makesRoom(@TempDir Path directory) throws Exception {
        var outcome = FakeGpuProcess.outcome(directory, Map.of("FAKE_GPU_MEMORY", "" + MEMORY), GarbageTest.class);
        assertTrue(outcome.output().contains("made " + ARRAYS), outcome::output);
    }

    /** Makes more arrays than there is memory for, one after the other. */
    public static void main(String[] none) {
        int made = 0;
        while (made < ARRAYS) {
            made += Nd4j.create(DataType.FLOAT, LENGTH).rank();
        }
        System.out.println("made " + made);
    }
}
