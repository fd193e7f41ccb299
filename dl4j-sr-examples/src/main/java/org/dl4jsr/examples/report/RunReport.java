package org.dl4jsr.examples.report;

import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.HtmlReport.Figure;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.report.HtmlReport.Table;
import org.dl4jsr.examples.report.HtmlReport.Text;

/** {@code report.html} of one run. */
public final class RunReport {

    private static final String TOKENS = "tokens";

    private RunReport() {}

    /**
     * @param parameters of the model
     * @param rows all of the run's, the last one validated
     * @param settings the table shown at the start
     * @param times what steps have spent their time on; no rows where that is not known
     * @param sample text drawn from the model
     */
    public static HtmlReport of(
            String title, long parameters, List<MetricsRow> rows, TextTable settings, TextTable times, String sample) {
        MetricsRow last = rows.get(rows.size() - 1);
        return new HtmlReport(
                title,
                Texts.format("%,d tokens, %,d parameters", last.tokens(), parameters),
                List.of(
                        figure("validation loss", "%.4f", last.valLoss()),
                        figure("validation perplexity", "%.3f", last.valPerplexity()),
                        figure("bits per byte", "%.4f", last.bitsPerByte()),
                        figure("tokens a second", "%,.0f", MetricsRow.tokensPerSecond(rows))),
                List.of(
                        chart(
                                "Loss",
                                "nats a token",
                                series("training", rows, MetricsRow::trainLoss),
                                series("validation", rows, MetricsRow::valLoss)),
                        chart("Learning rate", "learning rate", series("learning rate", rows, MetricsRow::lr)),
                        chart(
                                "Gradient norm",
                                "norm before clipping",
                                series("gradient norm", rows, MetricsRow::gradNorm)),
                        chart(
                                "Stagnation",
                                "share of weights",
                                series("updates that round-to-nearest would lose", rows, MetricsRow::stagnation)),
                        chart("Speed", "tokens a second", series("tok/s", rows, MetricsRow::tokPerS))),
                Stream.of(new Table("Workers", false, times.rows()), new Table("Settings", false, settings.rows()))
                        .filter(table -> !table.rows().isEmpty())
                        .toList(),
                List.of(new Text("Sample", sample)));
    }

    private static Figure figure(String label, String format, double value) {
        return new Figure(label, Texts.format(format, value));
    }

    static Chart chart(String title, String yLabel, Series... series) {
        return new Chart(title, TOKENS, yLabel, false, List.of(series));
    }

    static Series series(String name, List<MetricsRow> rows, ToDoubleFunction<MetricsRow> value) {
        return new Series(
                name,
                rows.stream()
                        .map(row -> new double[] {row.tokens(), value.applyAsDouble(row)})
                        .toList());
    }
}
