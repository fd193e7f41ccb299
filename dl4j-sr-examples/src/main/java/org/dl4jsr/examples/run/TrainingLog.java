package org.dl4jsr.examples.run;

import org.dl4jsr.examples.report.MetricsFile;
import org.dl4jsr.examples.report.MetricsRow;
import org.dl4jsr.examples.report.Progress;

/** Shows a run's progress and writes its rows to a metrics file; validated rows are shown, too. */
class TrainingLog implements Trainer.Listener {

    private final Progress progress;
    private final MetricsFile metrics;

    TrainingLog(Progress progress, MetricsFile metrics) {
        this.progress = progress;
        this.metrics = metrics;
    }

    @Override
    public void step(long step, double loss, double learningRate) {
        progress.step(step, loss, learningRate);
    }

    @Override
    public void row(MetricsRow row) {
        metrics.append(row);
        if (row.validated()) {
            progress.line(row.toLine());
        }
    }
}
