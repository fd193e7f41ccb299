package org.dl4jsr.examples.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.Tokenizer;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.report.Display;
import org.dl4jsr.examples.report.MetricsFile;
import org.dl4jsr.parallel.Rank;
import org.dl4jsr.parallel.RankProgram;

/**
 * A rank's part in a run: from its newest checkpoint on, in a process of its own. The first rank writes metrics and
 * checkpoints, and tells how it goes.
 *
 * @param config the run's {@link RunConfig}, as JSON
 * @param directory of the run, which another process has locked
 * @param tokenCache directory that keeps the tokens of large texts
 */
record RankTraining(String config, String directory, String tokenCache) implements RankProgram {

    private static final long serialVersionUID = 1;

    static RankTraining of(RunConfig config, Path directory, Path tokenCache) {
        return new RankTraining(
                Json.compact(config),
                directory.toAbsolutePath().toString(),
                tokenCache.toAbsolutePath().toString());
    }

    @Override
    public void run(Rank rank) throws IOException {
        RunConfig run = Json.read(config, RunConfig.class);
        Corpus corpus = run.text().load(run.model().context(), Path.of(tokenCache));
        if (!corpus.sha256().equals(run.text().sha256())) {
            throw new BadInput("The text is another one than where the run was started: all machines need the same");
        }
        Checkpoints checkpoints = new Checkpoints(Path.of(directory));
        Optional<Checkpoint> newest = checkpoints.newest();
        ComputationGraph network = GptNetwork.of(run, newest.orElse(null), checkpoints, rank.ranks() == 1);
        Notes notes = new Notes(rank);
        Trainer.Listener listener;
        if (rank.rank() == 0) {
            MetricsFile metrics = RunDirectory.metrics(Path.of(directory));
            newest.ifPresentOrElse(checkpoint -> goBackTo(checkpoint, checkpoints, metrics), metrics::clear);
            LossWatch watch =
                    LossWatch.of(Tokenizer.named(run.text().tokenizer()).vocabulary(), metrics.rows());
            listener = new TrainingLog(notes, metrics, watch) {
                @Override
                public void checkpoint(TrainingState reached, AtomicFile.Content model) {
                    requireNewestAttempt(rank);
                    checkpoints.save(model, Checkpoint.of(reached, run, metrics));
                    notes.checkpoint();
                }
            };
        } else {
            listener = row -> {};
        }
        Trainer trainer = new Trainer(run, corpus, network, listener, rank.collective());
        if (newest.isPresent() && rank.ranks() > 1) {
            trainer.readState(checkpoints.zip(newest.get().step()));
        }
        trainer.run(newest.map(Checkpoint::state).orElse(TrainingState.START), notes::isStopWanted);
    }

    private static void goBackTo(Checkpoint checkpoint, Checkpoints checkpoints, MetricsFile metrics) {
        checkpoints.goOnFrom(checkpoint);
        metrics.goBackTo(checkpoint.step(), checkpoint.row(), checkpoint.metricsSha256());
    }

    private static void requireNewestAttempt(Rank rank) {
        try {
            rank.requireNewestAttempt();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends what is to be shown. */
    private static final class Notes implements Display {

        private final Rank rank;
        private long communication;
        private boolean stop;

        Notes(Rank rank) {
            this.rank = rank;
            communication = rank.collective().nanoseconds();
        }

        @Override
        public void step(long step, double loss, double learningRate, long nanoseconds) {
            long before = communication;
            communication = rank.collective().nanoseconds();
            send(RankNote.step(step, loss, learningRate, nanoseconds, communication - before));
        }

        @Override
        public void line(String text) {
            send(RankNote.line(text));
        }

        void checkpoint() {
            send(RankNote.CHECKPOINT);
            communication = rank.collective().nanoseconds();
        }

        private void send(String note) {
            stop |= rank.note(note);
        }

        boolean isStopWanted() {
            return stop;
        }
    }
}
