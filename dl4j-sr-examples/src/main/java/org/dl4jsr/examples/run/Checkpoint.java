package org.dl4jsr.examples.run;

import java.util.List;
import org.dl4jsr.examples.report.MetricsFile;
import org.dl4jsr.examples.report.MetricsRow;

/**
 * What a checkpoint holds beside the network.
 *
 * @param config of the run
 * @param lastRow of metrics, as a line of CSV; empty before the first
 * @param metricsSha256 of metrics.csv at that time
 */
public record Checkpoint(TrainingState state, RunConfig config, String lastRow, String metricsSha256) {

    /** That of a run which has reached a state, and has these metrics. */
    static Checkpoint of(TrainingState state, RunConfig config, MetricsFile metrics) {
        List<MetricsRow> rows = metrics.rows();
        String last = rows.isEmpty() ? "" : rows.get(rows.size() - 1).toCsv();
        return new Checkpoint(state, config, last, metrics.sha256());
    }

    public long step() {
        return state.step();
    }

    /** The last row of metrics, or null before the first. */
    MetricsRow row() {
        return MetricsRow.parsed(lastRow).orElse(null);
    }

    /** The validation loss at this step, or NaN where there was none. */
    double valLoss() {
        MetricsRow row = row();
        return row == null || row.step() != step() ? Double.NaN : row.valLoss();
    }
}
