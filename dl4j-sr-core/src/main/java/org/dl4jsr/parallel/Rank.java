package org.dl4jsr.parallel;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One rank's part in an attempt at a training: what a {@link RankProgram} is given. */
public final class Rank {

    /** The trained model in the folder of the checkpoints, as {@link ModelFile} writes it. */
    public static final String MODEL = "model.zip";

    private static final Logger LOG = LoggerFactory.getLogger(Rank.class);

    /** Brings what a rank says to the {@link Observer}. */
    @FunctionalInterface
    public interface Notes {

        /** Returns, once it has been heard, whether the ranks are to come to an end. */
        boolean send(String text);
    }

    private final Collective collective;
    private final Storage storage;
    private final long every;
    private final int attempt;
    private final Notes notes;

    /**
     * Made by who starts the ranks.
     *
     * @param storage of this run alone, for its checkpoints
     * @param every steps from one checkpoint to the next
     * @param attempt of {@link Attempts#next}
     */
    public Rank(Collective collective, Storage storage, long every, int attempt, Notes notes) {
        this.collective = collective;
        this.storage = storage;
        this.every = every;
        this.attempt = attempt;
        this.notes = notes;
    }

    /** From 0. */
    public int rank() {
        return collective.rank();
    }

    public int ranks() {
        return collective.ranks();
    }

    /** What the ranks do together, for trainings of another shape. */
    public Collective collective() {
        return collective;
    }

    /** The folder of the checkpoints. */
    public Storage storage() {
        return storage;
    }

    /**
     * Says something to who has started the training.
     *
     * @return whether he wants the ranks to come to an end
     * @throws TransportException where he is not there any more
     */
    public boolean note(String text) {
        return notes.send(text);
    }

    /**
     * Trains up to {@code steps} steps in all, from the newest checkpoint on, with a checkpoint every so many steps and
     * one at the end; then the first rank writes {@link #MODEL}, with the whole updater state. In {@link Mode#SHARDED} no
     * rank needs the memory for that at any time.
     *
     * @param network makes the network, initialised, the same on all ranks: name its seed
     * @param parts micro-batches of a step, at least as many as ranks
     * @return the trained network, on every rank; in {@link Mode#SHARDED} {@link #MODEL} alone has its updater state
     */
    public <N extends Model> N train(Supplier<N> network, Mode mode, long steps, int parts, Batches batches)
            throws IOException {
        N model = network.get();
        var training = new DataParallel(model, collective, mode);
        var checkpoint = new SliceCheckpoint(storage, training);
        Optional<SliceCheckpoint.Saved> saved = checkpoint.restore();
        long start = saved.map(SliceCheckpoint.Saved::step).orElse(0L);
        LOG.info(
                "Rank {} of {}, attempt {}: {}, {} bytes of updater state, from step {} of {}",
                rank(),
                ranks(),
                attempt,
                mode,
                training.stateBytes(),
                start,
                steps);
        for (long step = start; step < steps; step++) {
            training.step(step, parts, batches);
            if ((step + 1) % every == 0 || step + 1 == steps) {
                if (rank() == 0) {
                    requireNewestAttempt();
                }
                collective.barrier(); // nobody writes before
                checkpoint.save(step + 1, "");
            }
        }
        write(training);
        return model;
    }

    /**
     * To be called before what others have written is replaced.
     *
     * @throws IllegalStateException where a later attempt has taken the run over
     */
    public void requireNewestAttempt() throws IOException {
        Attempts.requireNewest(storage, attempt);
    }

    private void write(DataParallel training) throws IOException {
        if (rank() > 0) {
            ModelFile.write(training, OutputStream.nullOutputStream());
            return;
        }
        String temporary = MODEL + ".tmp";
        try (OutputStream out = storage.create(temporary)) {
            ModelFile.write(training, out);
        }
        storage.rename(temporary, MODEL);
    }
}
