package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.NonFiniteGradientException;
import org.dl4jsr.updater.RoundingStatsListener;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.updater.UpdaterStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;

/** Ranks that each keep a part of the updater state. */
@Timeout(120)
class ShardedTest {

    private static final int PARTS = 3;

    @TempDir
    private Path directory;

    private static void train(DataParallel training, Tasks task, int from, int to) {
        for (int step = from; step < to; step++) {
            training.step(step, PARTS, task.batches());
        }
    }

    /** State that is there is taken over, written, read and given back; compensations, masters and their canaries, too. */
    @ParameterizedTest
    @EnumSource(
            value = Bf16Policy.class,
            names = {"SR", "KAHAN", "O2"})
    void stateGoesFromOneRankToManyAndBack(Bf16Policy policy) throws Exception {
        Tasks task = Tasks.mlp("", policy, new Adam(5e-3));
        Model alone = task.network().get();
        train(new DataParallel(alone), task, 0, 5);
        var written = new ByteArrayOutputStream();
        ModelFile.write(alone, written);
        Map<String, ByteBuffer> midst = ModelFileTest.entries(written.toByteArray());
        train(new DataParallel(alone), task, 5, 9);
        List<String> ends = Ranks.run(PARTS, collective -> {
            Model network = task.network().get();
            train(new DataParallel(network), task, 0, 3);
            var training = new DataParallel(network, collective, Mode.SHARDED);
            train(training, task, 3, 5);
            var file = new ByteArrayOutputStream();
            ModelFile.write(training, file);
            assertEquals(collective.rank() == 0 ? midst : Map.of(), ModelFileTest.entries(file.toByteArray()));
            assertEquals(null, TrainedNetwork.of(network).storedState());
            train(training, task, 5, 6);
            training.end();
            train(new DataParallel(network), task, 6, 9);
            return Digests.of(network);
        });
        assertEquals(List.of(Digests.of(alone)), ends.stream().distinct().toList());
        Path model = Files.write(directory.resolve("model.zip"), written.toByteArray());
        List<String> resumed = Ranks.run(2, collective -> {
            Model network = MultiLayerNetwork.load(model.toFile(), false);
            var training = new DataParallel(network, collective, Mode.SHARDED);
            ModelFile.readState(training, model);
            train(training, task, 5, 9);
            training.end();
            return Digests.of(network);
        });
        assertEquals(List.of(Digests.of(alone)), resumed.stream().distinct().toList());
    }

    @Test
    void eachRankKeepsItsShareOfTheState() throws Exception {
        Tasks task = Tasks.mlp();
        long parameters = task.network().get().numParams();
        List<Long> bytes = Ranks.run(2, collective -> {
            Model network = task.network().get();
            long kept = new DataParallel(network, collective, Mode.SHARDED).stateBytes();
            assertEquals(null, TrainedNetwork.of(network).storedState());
            return kept;
        });
        assertEquals(4 * parameters, bytes.get(0) + bytes.get(1));
        assertTrue(bytes.get(1) <= 4 * (parameters / 2 + 4096), bytes::toString);
    }

    @Test
    void aGradientThatIsNotFiniteSkipsTheStepOnAllRanks() throws Exception {
        Tasks task = Tasks.mlp(
                "",
                Bf16Policy.SR,
                SrAdam.builder().maxGradientNorm(0.1).maxConsecutiveSkips(2).build());
        Batches bad = (step, part) -> {
            var batch = task.batches().batch(step, part);
            if (step > 0 && part == 1) {
                batch.getLabels(0).putScalar(0, 0, Float.NaN);
            }
            return batch;
        };
        List<String> ends = new ArrayList<>();
        for (int ranks : new int[] {1, PARTS}) {
            ends.addAll(Ranks.run(ranks, collective -> {
                Model network = task.network().get();
                var status = UpdaterStatus.of(network);
                var training = new DataParallel(network, collective, Mode.SHARDED);
                training.step(0, PARTS, bad);
                double norm = status.lastGradientNorm();
                assertTrue(status.lastClipScale() < 1);
                training.step(1, PARTS, bad);
                String message = assertThrows(NonFiniteGradientException.class, () -> training.step(2, PARTS, bad))
                        .getMessage();
                return norm + " " + status.skippedSteps() + " " + message;
            }));
        }
        assertEquals(1, ends.stream().distinct().count(), ends::toString);
    }

    @Test
    void statisticsAreThoseOfAllRanks() throws Exception {
        Tasks task = Tasks.mlp();
        List<String> shares = new ArrayList<>();
        for (int ranks : new int[] {1, PARTS}) {
            shares.addAll(Ranks.run(ranks, collective -> {
                var network = (MultiLayerNetwork) task.network().get();
                var seen = new StringBuilder();
                network.setListeners(new RoundingStatsListener(
                        1, stats -> seen.append(stats.total().lost())
                                .append(' ')
                                .append(stats.total().moved())
                                .append(' ')));
                train(new DataParallel(network, collective, Mode.SHARDED), task, 0, 2);
                return seen.toString();
            }));
        }
        assertEquals(1, shares.stream().distinct().count(), shares::toString);
    }

    @Test
    void whatCannotBeShardedIsRefused() {
        assertRefused(
                "Parameter W of layer layer0 is trained by StochasticallyRounded",
                Tasks.mlp("", Bf16Policy.SR, new Nesterovs(1e-2)));
        Tasks task = Tasks.mlp();
        assertRefused(
                "Layer layer1 has gradient normalization ClipL2PerLayer",
                new Tasks(
                        "",
                        () -> {
                            var network = (MultiLayerNetwork) task.network().get();
                            ((org.deeplearning4j.nn.conf.layers.BaseLayer)
                                            network.getLayer(1).conf().getLayer())
                                    .setGradientNormalization(GradientNormalization.ClipL2PerLayer);
                            return network;
                        },
                        false,
                        task.batches()));
    }

    private static void assertRefused(String message, Tasks task) {
        var error = assertThrows(
                IllegalArgumentException.class,
                () -> Ranks.run(2, collective -> new DataParallel(task.network().get(), collective, Mode.SHARDED)));
        assertTrue(error.getMessage().startsWith(message), error::getMessage);
    }
}
