package org.dl4jsr.examples.run;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.TokenBatches;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.report.MetricsRow;
import org.dl4jsr.examples.run.TrainingState.RowSoFar;
import org.dl4jsr.parallel.Collective;
import org.dl4jsr.parallel.DataParallel;
import org.dl4jsr.parallel.LocalTransport;
import org.dl4jsr.parallel.Mode;
import org.dl4jsr.parallel.ModelFile;
import org.dl4jsr.updater.RoundingStatsListener;
import org.dl4jsr.updater.UpdaterStatus;
import org.nd4j.linalg.dataset.DataSet;

/**
 * The training loop. There are some 200 rows of metrics a run and some 10 validations, each with a checkpoint, at steps
 * that depend on the configuration alone; in between there is a checkpoint at the first row after ten minutes.
 *
 * <p>Ranks that train together have one each; they end with the same bits, and those of one rank alone.
 */
public final class Trainer {

    private static final int ROWS_A_VALIDATION = 20;
    private static final Duration BETWEEN_CHECKPOINTS = Duration.ofMinutes(10);

    /** Hears of a run as it goes. */
    public interface Listener {

        /** After every step, which took so many nanoseconds. */
        default void step(long step, double loss, double learningRate, long nanoseconds) {}

        /** At every row. */
        void row(MetricsRow row);

        /**
         * Whenever a checkpoint is due, after the row of that step. Of several ranks the first one hears of it, and has
         * to write the model once, with the help of the others.
         *
         * @param model the network with its updater's state
         */
        default void checkpoint(TrainingState state, AtomicFile.Content model) {}
    }

    private final RunConfig config;
    private final ComputationGraph network;
    private final Listener listener;
    private final TokenBatches batches;
    private final Evaluation evaluation;
    private final double bytesPerToken;
    private final UpdaterStatus status;
    private final Collective collective;
    /** Null where a step is one pass of one rank. */
    private final DataParallel training;

    private final int rowEvery;
    /** As of the first step since the last row: the listener counts iterations from 0. */
    private double stagnation;

    /** One rank alone. */
    public Trainer(RunConfig config, Corpus corpus, ComputationGraph network, Listener listener) {
        this(config, corpus, network, listener, new Collective(LocalTransport.alone(), 0));
    }

    /** One of the ranks of {@code collective}, which make theirs at the same time. */
    Trainer(RunConfig config, Corpus corpus, ComputationGraph network, Listener listener, Collective collective) {
        this.collective = collective;
        this.config = config;
        this.network = network;
        this.listener = listener;
        batches = new TokenBatches(
                corpus.train(), config.budget().batch(), config.model().context());
        evaluation = new Evaluation(corpus, config, collective);
        bytesPerToken = corpus.validationBytesPerToken();
        status = UpdaterStatus.of(network);
        rowEvery = config.rowEvery();
        network.setListeners(new RoundingStatsListener(
                rowEvery, stats -> stagnation = stats.total().lost()));
        boolean alone = collective.ranks() == 1;
        training = alone && config.budget().accumulate() == 1
                ? null
                : new DataParallel(network, collective, alone ? Mode.REPLICATED : Mode.SHARDED);
    }

    /** Reads what this one of several ranks keeps of the updater's state in the file of a checkpoint. */
    void readState(Path zip) {
        try {
            ModelFile.readState(training, zip);
        } catch (IOException e) {
            throw new BadInput(zip + " cannot be restored: " + BadInput.reason(e), e);
        }
    }

    /**
     * Trains from {@code start} to the end of the run, or until {@code stop} says so after a step; then there is a
     * checkpoint of that step. Of several ranks the first one decides.
     *
     * @return whether it came to the end
     */
    public boolean run(TrainingState start, BooleanSupplier stop) {
        status.restore(start.skipped(), start.skippedInARow());
        stagnation = start.row().stagnation();
        int steps = config.steps();
        long lastCheckpoint = System.nanoTime();
        RowSoFar row = start.row();
        for (long step = start.step() + 1; step <= steps; step++) {
            long before = System.nanoTime();
            double loss = step(step - 1);
            long nanoseconds = System.nanoTime() - before;
            row = new RowSoFar(row.start(), row.losses() + loss, row.nanoseconds() + nanoseconds, stagnation);
            listener.step(step, loss, learningRate(step), nanoseconds);
            boolean validate = step % ((long) rowEvery * ROWS_A_VALIDATION) == 0 || step == steps;
            boolean rowIsFull = step % rowEvery == 0 || step == steps;
            if (rowIsFull) {
                listener.row(row(step, row, validate));
                row = new RowSoFar(step, 0, 0, stagnation);
            }
            boolean stopped = step < steps && isAgreed(stop.getAsBoolean());
            boolean due = rowIsFull && isAgreed(System.nanoTime() - lastCheckpoint > BETWEEN_CHECKPOINTS.toNanos());
            if (validate || due || stopped) {
                checkpoint(new TrainingState(
                        step, step * config.tokensPerStep(), status.skippedSteps(), status.consecutiveSkips(), row));
                lastCheckpoint = System.nanoTime();
            }
            if (stopped) {
                return false;
            }
        }
        return true;
    }

    /** What the first rank says. */
    private boolean isAgreed(boolean own) {
        return collective.gather(own ? 1 : 0)[0][0] == 1;
    }

    private void checkpoint(TrainingState state) {
        if (collective.rank() == 0) {
            listener.checkpoint(state, this::writeTo);
            return;
        }
        try {
            writeTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void writeTo(OutputStream out) throws IOException {
        if (training == null) {
            ModelFile.write(network, out);
        } else {
            ModelFile.write(training, out);
        }
    }

    /** Takes step number {@code step}, from 0, and returns its loss. */
    private double step(long step) {
        if (training != null) {
            return training.step(
                    step, config.budget().accumulate(), (number, part) -> batches.random(config.seed(), number, part)
                            .toMultiDataSet());
        }
        DataSet batch = batches.random(config.seed(), step, 0);
        network.fit(batch);
        return network.score();
    }

    private MetricsRow row(long step, RowSoFar row, boolean validate) {
        double valLoss = validate ? evaluation.loss(network) : Double.NaN;
        return new MetricsRow(
                step,
                step * config.tokensPerStep(),
                row.losses() / (step - row.start()),
                valLoss,
                Math.exp(valLoss),
                valLoss / Math.log(2) / bytesPerToken,
                learningRate(step),
                status.lastGradientNorm(),
                stagnation,
                status.skippedSteps(),
                (step - row.start()) * config.tokensPerStep() / (row.nanoseconds() / 1e9));
    }

    /** The learning rate of the step that made {@code step} steps. */
    private double learningRate(long step) {
        return config.schedule().valueAt((int) step - 1, 0);
    }
}
