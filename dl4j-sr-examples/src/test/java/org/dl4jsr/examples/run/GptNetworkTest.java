package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("slow")
class GptNetworkTest {

    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource(Bf16Policy.class)
    void aCheckpointHoldsTheNetworkThatItDescribes(Bf16Policy policy) throws IOException {
        RunConfig config = TestRuns.config(policy.toString(), 2, 1, 10);
        ComputationGraph network = trained(config);
        ComputationGraph restored = GptNetwork.restore(checkpoint(config, 3), zip(network));
        assertEquals(network.params(), restored.params());
        assertEquals(3, restored.getIterationCount());
    }

    @Test
    void anotherNetworkIsRefused() throws IOException {
        RunConfig config = TestRuns.config("bf16-sr", 2, 1, 10);
        Path zip = zip(trained(config));
        assertMessage("holds another network", checkpoint(config.withSeed(2), 3), zip);
        assertMessage("holds another network", checkpoint(config.withPolicy("bf16-nearest"), 3), zip);
        assertMessage("holds another network", checkpoint(config.withLearningRate(0.5), 3), zip);
        assertMessage(
                "holds another network",
                checkpoint(config.withModel(config.model().withLayers(3)), 3),
                zip);
        assertMessage("holds another network", checkpoint(config, 4), zip);
    }

    @Test
    void weightsThatAreNotFiniteAreRefused() throws IOException {
        RunConfig config = TestRuns.config("bf16-sr", 2, 1, 10);
        ComputationGraph network = trained(config);
        network.params().putScalar(1000, Double.NaN);
        assertMessage("has weights that are not finite", checkpoint(config, 3), zip(network));
        network.params().putScalar(1000, Double.POSITIVE_INFINITY);
        assertMessage("has weights that are not finite", checkpoint(config, 3), zip(network));
    }

    @Test
    void aLongerRunHasItsOwnSchedule() {
        RunConfig config = TestRuns.config("bf16-sr", 2, 1, 10);
        RunConfig longer =
                config.withBudget(config.budget().withTokens(2 * config.budget().tokens()));
        ComputationGraph network = trained(config);
        ComputationGraph rescheduled = GptNetwork.rescheduled(network, longer);
        assertEquals(network.params(), rescheduled.params());
        assertEquals(
                network.getUpdater().getStateViewArray(),
                rescheduled.getUpdater().getStateViewArray());
        assertEquals(3, rescheduled.getIterationCount());
        assertEquals(
                GptNetwork.asBuilt(GptNetwork.configuration(longer)),
                GptNetwork.asBuilt(rescheduled.getConfiguration()));
    }

    private static void assertMessage(String part, Checkpoint checkpoint, Path zip) {
        String message = assertThrows(BadInput.class, () -> GptNetwork.restore(checkpoint, zip))
                .getMessage();
        assertTrue(message.startsWith(zip + " ") && message.contains(part), message);
    }

    private Path zip(ComputationGraph network) throws IOException {
        Path zip = directory.resolve("checkpoint-00000003.zip");
        ModelSerializer.writeModel(network, zip.toFile(), true);
        return zip;
    }

    private static Checkpoint checkpoint(RunConfig config, long step) {
        return new Checkpoint(new TrainingState(step, 0, 0, 0, new TrainingState.RowSoFar(0, 0, 0, 0)), config, "", "");
    }

    /** Three steps of ten. */
    private static ComputationGraph trained(RunConfig config) {
        ComputationGraph network = GptNetwork.create(config);
        int[] steps = {0};
        new Trainer(config, TestRuns.corpus(), network, row -> {}).run(TrainingState.START, () -> ++steps[0] == 3);
        return network;
    }
}
