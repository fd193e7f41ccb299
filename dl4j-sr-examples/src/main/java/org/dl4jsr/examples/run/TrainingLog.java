package org.dl4jsr.examples.run;

import org.dl4jsr.examples.report.MetricsFile;
import org.dl4jsr.examples.report.MetricsRow;
import org.dl4jsr.examples.report.Progress;

/** Shows a run's progress and writes its rows to a metrics file; validated rows are shown, too. */
class TrainingLog implements Trainer.Listener {

    private final Progress progress;
    private final MetricsFile metrics;
    private final LossWatch watch;

    TrainingLog(Progress progress, MetricsFile metrics, LossWatch watch) {
        this.progress = progress;
        this.metrics = metrics;
        this.watch = watch;
    }

    @Override
    public void step(long step, double loss, double learningRate, long nanoseconds) {
        progress.step(step, loss, learningRate, nanoseconds);
    }

    @Override
    public void row(MetricsRow row) {
        metrics.append(row);
        if (row.validated()) {
            progress.line(row.toLine());
            watch.add(row).ifPresent(progress::line);
        }
    }
}
