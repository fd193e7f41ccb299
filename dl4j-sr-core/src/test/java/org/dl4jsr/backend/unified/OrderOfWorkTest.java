package org.dl4jsr.backend.unified;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * All of ND4J and DL4J that touches arrays waits for the GPU before, and no kernel is given memory that it cannot reach:
 * tests of other packages, which know what is right, again on the fake GPU.
 */
@Tag("slow")
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class OrderOfWorkTest {

    private static final List<String> TESTS = List.of(
            "backend.AlignmentTest",
            "backend.Bf16CopiesTest",
            "backend.ConvolutionShortcutsTest",
            "backend.ExactSumsTest",
            "backend.Nd4jMatmulTest",
            "backend.PendingStepsTest",
            "backend.StochasticAveragesTest",
            "backend.unified.ArraysTest",
            "integration.EarlyStoppingTest",
            "integration.EvaluationTest",
            "integration.SavingTest",
            "integration.VertexSumsTest",
            "integration.WaysOutTest",
            "nn.GptGradientTest#everyElement(boolean)",
            "nn.GptGradientTest#sequencesShorterThanTheContext",
            "nn.GptLayersTest#inAMultiLayerNetwork",
            "nn.GptLayersTest#transferLearning",
            "op.OptimizerOpsTest",
            "op.TransformerOpsTest",
            "parallel.DataParallelListenerTest#fitEndsOnAllRanksAtOnceWithWhatStepsGive",
            "parallel.AccumulationTest#sumsAreFp32",
            "parallel.ShardedTest",
            "updater.RoundingStatsListenerTest",
            "updater.SrAdamTest",
            "backend.Bf16NumbersTest"); // last: large arrays that nobody closes make the trap slow to set

    @Test
    void arraysNetworksAndFiles(@TempDir Path directory) throws Exception {
        FakeGpuProcess.runTests(
                directory, TESTS.stream().map(name -> "org.dl4jsr." + name).toArray(String[]::new));
    }
}
