package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;

/** Runs that go on from checkpoints end as if they had not been interrupted. */
@Timeout(120)
class SliceCheckpointTest {

    private static final int PARTS = 3;

    @TempDir
    private Path directory;

    private Storage storage;

    @BeforeEach
    void storage() {
        storage = new FileStorage(directory);
    }

    /** Goes on from the newest checkpoint to {@code end}, with one every two steps. */
    private String run(Tasks task, int ranks, Mode mode, int end) throws Exception {
        List<String> ends = Ranks.run(ranks, collective -> {
            Model network = task.network().get();
            var training = new DataParallel(network, collective, mode);
            var checkpoint = new SliceCheckpoint(storage, training);
            Optional<SliceCheckpoint.Saved> saved = checkpoint.restore();
            long start = saved.map(SliceCheckpoint.Saved::step).orElse(0L);
            assertEquals(
                    saved.isPresent() ? "at " + start : "",
                    saved.map(SliceCheckpoint.Saved::note).orElse(""));
            for (long step = start; step < end; step++) {
                training.step(step, PARTS, task.batches());
                if ((step + 1) % 2 == 0) {
                    checkpoint.save(step + 1, "at " + (step + 1));
                }
            }
            training.end();
            return start + " " + Digests.of(network);
        });
        assertEquals(1, ends.stream().distinct().count(), ends::toString);
        return ends.get(0);
    }

    private static String uninterrupted(Tasks task, int end) {
        Model network = task.network().get();
        var training = new DataParallel(network);
        for (int step = 0; step < end; step++) {
            training.step(step, PARTS, task.batches());
        }
        return Digests.of(network);
    }

    static Stream<Tasks> tasks() {
        return Stream.of(
                Tasks.batchNormalization(),
                Tasks.mlp("masters", Bf16Policy.O2, new Adam(5e-3)),
                Tasks.mlp("Nesterovs", Bf16Policy.SR, new Nesterovs(1e-2)));
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void anotherNumberOfRanksGoesOn(Tasks task) throws Exception {
        Mode sharded = task.canBeSharded() ? Mode.SHARDED : Mode.REPLICATED;
        run(task, 3, sharded, 3); // the third step is lost
        assertTrue(run(task, 2, sharded, 5).startsWith("2 "));
        assertTrue(run(task, 3, Mode.REPLICATED, 7).startsWith("4 "));
        assertEquals("6 " + uninterrupted(task, 9), run(task, 1, sharded, 9));
        assertEquals(List.of("step-6", "step-8"), storage.list(""));
    }

    /** What the checksums of the newest checkpoint do not fit is not used. */
    @Test
    void aDamagedCheckpointGivesWayToTheOneBefore() throws Exception {
        Tasks task = Tasks.mlp();
        run(task, 2, Mode.SHARDED, 4);
        Path slice = directory.resolve("step-4/slice-1.bin");
        byte[] bytes = Files.readAllBytes(slice);
        bytes[bytes.length / 2] ^= 1;
        Files.write(slice, bytes);
        assertEquals("2 " + uninterrupted(task, 5), run(task, 3, Mode.SHARDED, 5));
        Files.delete(directory.resolve("step-4/manifest.json")); // as if it had not been finished
        assertEquals("2 " + uninterrupted(task, 3), run(task, 3, Mode.SHARDED, 3));
        Files.write(directory.resolve("step-2/slice-0.json"), new byte[3]);
        assertThrows(IOException.class, () -> run(task, 1, Mode.SHARDED, 3));
    }

    @Test
    void aDiskThatIsFullKeepsWhatWasThere() throws Exception {
        Tasks task = Tasks.mlp();
        run(task, 2, Mode.SHARDED, 2);
        Storage whole = storage;
        storage = new FullAtStep4(whole);
        var error = assertThrows(IOException.class, () -> run(task, 2, Mode.SHARDED, 6));
        assertTrue(error.getMessage().startsWith("Rank 1 cannot write its slice of a checkpoint"), error::getMessage);
        storage = whole;
        assertEquals("2 " + uninterrupted(task, 6), run(task, 2, Mode.SHARDED, 6));
    }

    @Test
    void aCheckpointOfAnotherNetworkIsRefused() throws Exception {
        run(Tasks.mlp(), 1, Mode.SHARDED, 2);
        var error =
                assertThrows(IllegalArgumentException.class, () -> run(Tasks.batchNormalization(), 1, Mode.SHARDED, 3));
        assertTrue(
                error.getMessage().startsWith("The checkpoints are of a network whose parameters is"),
                error::getMessage);
    }

    @Test
    void aNameIsClaimedOnce() throws Exception {
        assertTrue(storage.claim("attempts/1"));
        assertEquals(false, storage.claim("attempts/1"));
        assertTrue(storage.claim("attempts/2"));
        storage.delete("attempts");
        assertEquals(List.of(), storage.list("attempts"));
    }

    /** Has no room for the slice of rank 1 at step 4. */
    private record FullAtStep4(Storage storage) implements Storage {

        @Override
        public OutputStream create(String name) throws IOException {
            if (name.equals(SliceFile.data("step-4", 1))) {
                throw new IOException("No space left on device");
            }
            return storage.create(name);
        }

        @Override
        public InputStream open(String name, long position) throws IOException {
            return storage.open(name, position);
        }

        @Override
        public void rename(String from, String to) throws IOException {
            storage.rename(from, to);
        }

        @Override
        public boolean claim(String name) throws IOException {
            return storage.claim(name);
        }

        @Override
        public List<String> list(String folder) throws IOException {
            return storage.list(folder);
        }

        @Override
        public void delete(String name) throws IOException {
            storage.delete(name);
        }
    }
}
