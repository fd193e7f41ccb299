package org.dl4jsr.benchmarks.families;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.backend.unified.FakeGpuProcess;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stock layers on the fake GPU, in a process that ends where the CPU touches memory without having waited: the first
 * gradients of each family are those of FLOAT, under each policy in its turn.
 */
@Tag("slow")
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class FamiliesOnGpuTest {

    /** Of a gradient's norm, or of a hundredth of all gradients' norm where that is more. */
    private static final double TOLERANCE = 0.2;

    private static final List<Bf16Policy> POLICIES = List.of(Bf16Policy.SR, Bf16Policy.O1, Bf16Policy.O2);

    @Test
    void gradientsAreThoseOfFloat(@TempDir Path directory) throws Exception {
        String output = FakeGpuProcess.run(directory, FamiliesOnGpuTest.class);
        assertTrue(output.lines().filter(line -> line.startsWith("right: ")).count() > 30, output);
        assertTrue(output.lines().noneMatch(line -> line.startsWith("WRONG: ")), output);
    }

    /** What the process does: FLOAT's gradients are the CPU's. */
    public static void main(String[] arguments) {
        List<Family> families = Families.ofAllParameters();
        for (int i = 0; i < families.size(); i++) {
            Family family = families.get(i);
            Bf16Policy policy = POLICIES.get(i % POLICIES.size());
            System.out.println("begun: " + family + ", " + policy);
            double error = Twins.largestError(gradients(family, Bf16Policy.FP32), gradients(family, policy));
            System.out.println((error <= TOLERANCE ? "right: " : "WRONG: ") + family + ", " + policy + ", " + error);
        }
    }

    private static Map<String, INDArray> gradients(Family family, Bf16Policy policy) {
        var graph = new ComputationGraph(policy.apply(family.graph().apply(Twins.builder(0.01))));
        graph.init();
        Map<String, INDArray> gradients = Twins.gradients(graph, family);
        if (!family.pretrained()) {
            graph.fit(family.data());
        }
        return gradients;
    }
}
