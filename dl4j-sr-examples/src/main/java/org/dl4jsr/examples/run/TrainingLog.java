package org.dl4jsr.examples.run;

import org.dl4jsr.examples.report.Display;
import org.dl4jsr.examples.report.MetricsFile;
import org.dl4jsr.examples.report.MetricsRow;

/** Shows a run's progress and writes its rows to a metrics file; validated rows are shown, too. */
class TrainingLog implements Trainer.Listener {

    private final Display display;
    private final MetricsFile metrics;
    private final LossWatch watch;

    TrainingLog(Display display, MetricsFile metrics, LossWatch watch) {
        this.display = display;
        this.metrics = metrics;
        this.watch = watch;
    }

    @Override
    public void step(long step, double loss, double learningRate, long nanoseconds) {
        display.step(step, loss, learningRate, nanoseconds);
    }

    @Override
    public void row(MetricsRow row) {
        metrics.append(row);
        if (row.validated()) {
            display.line(row.toLine());
            watch.add(row).ifPresent(display::line);
        }
    }
}
