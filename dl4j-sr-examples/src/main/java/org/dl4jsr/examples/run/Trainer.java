package org.dl4jsr.examples.run;

import java.time.Duration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.TokenBatches;
import org.dl4jsr.examples.report.MetricsRow;
import org.dl4jsr.updater.GradientAccumulation;
import org.dl4jsr.updater.RoundingStatsListener;
import org.dl4jsr.updater.UpdaterStatus;
import org.nd4j.linalg.dataset.DataSet;

/**
 * The training loop. There are some 200 rows of metrics a run and some 10 validations, each with a checkpoint, at steps
 * that depend on the configuration alone; in between there is a checkpoint at the first row after ten minutes.
 */
final class Trainer {

    private static final int ROWS = 200;
    private static final int ROWS_A_VALIDATION = 20;
    private static final Duration BETWEEN_CHECKPOINTS = Duration.ofMinutes(10);

    /** Hears of a run as it goes. */
    interface Listener {

        /** After every step. */
        default void step(long step, double loss, double learningRate) {}

        /** At every row. */
        void row(MetricsRow row);

        /** Whenever a checkpoint is due, after the row of that step. */
        default void checkpoint(TrainingState state) {}
    }

    private final RunConfig config;
    private final ComputationGraph network;
    private final Listener listener;
    private final TokenBatches batches;
    private final Evaluation evaluation;
    private final double bytesPerToken;
    private final UpdaterStatus status;
    private final GradientAccumulation accumulation;
    private final int rowEvery;
    /** As of the first step since the last row: the listener counts iterations from 0. */
    private double stagnation;

    Trainer(RunConfig config, Corpus corpus, ComputationGraph network, Listener listener) {
        this.config = config;
        this.network = network;
        this.listener = listener;
        batches = new TokenBatches(
                corpus.train(), config.budget().batch(), config.model().context());
        evaluation = new Evaluation(corpus, config);
        bytesPerToken = corpus.validationBytesPerToken();
        status = UpdaterStatus.of(network);
        rowEvery = Math.max(1, config.steps() / ROWS);
        network.setListeners(new RoundingStatsListener(
                rowEvery, stats -> stagnation = stats.total().lost()));
        accumulation = config.budget().accumulate() > 1 ? new GradientAccumulation(network) : null;
    }

    /** Trains from {@code start} to the end of the run. */
    void run(TrainingState start) {
        status.restore(start.skipped(), start.skippedInARow());
        int steps = config.steps();
        long lastCheckpoint = System.nanoTime();
        double losses = 0;
        long rowNanos = 0;
        long rowStart = start.step();
        for (long step = start.step() + 1; step <= steps; step++) {
            long before = System.nanoTime();
            double loss = step(step - 1);
            rowNanos += System.nanoTime() - before;
            losses += loss;
            listener.step(step, loss, learningRate(step));
            if (step % rowEvery != 0 && step != steps) {
                continue;
            }
            boolean validate = step % ((long) rowEvery * ROWS_A_VALIDATION) == 0 || step == steps;
            long rowTokens = (step - rowStart) * config.tokensPerStep();
            listener.row(row(step, losses / (step - rowStart), validate, rowTokens / (rowNanos / 1e9)));
            if (validate || System.nanoTime() - lastCheckpoint > BETWEEN_CHECKPOINTS.toNanos()) {
                listener.checkpoint(new TrainingState(
                        step, step * config.tokensPerStep(), status.skippedSteps(), status.consecutiveSkips()));
                lastCheckpoint = System.nanoTime();
            }
            losses = 0;
            rowNanos = 0;
            rowStart = step;
        }
    }

    /** Takes step number {@code step}, from 0, and returns its loss. */
    private double step(long step) {
        if (accumulation != null) {
            for (int part = 0; part < config.budget().accumulate(); part++) {
                accumulation.add(batches.random(config.seed(), step, part));
            }
            return accumulation.step();
        }
        DataSet batch = batches.random(config.seed(), step, 0);
        network.fit(batch);
        return network.score();
    }

    private MetricsRow row(long step, double trainLoss, boolean validate, double tokensPerSecond) {
        double valLoss = validate ? evaluation.loss(network) : Double.NaN;
        return new MetricsRow(
                step,
                step * config.tokensPerStep(),
                trainLoss,
                valLoss,
                Math.exp(valLoss),
                valLoss / Math.log(2) / bytesPerToken,
                learningRate(step),
                status.lastGradientNorm(),
                stagnation,
                status.skippedSteps(),
                tokensPerSecond);
    }

    /** The learning rate of the step that made {@code step} steps. */
    private double learningRate(long step) {
        return config.schedule().valueAt((int) step - 1, 0);
    }
}
