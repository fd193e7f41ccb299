package org.dl4jsr.examples.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.report.HtmlReport.Table;

/** Several runs side by side: their curves one over the other, their results, and the settings in which they differ. */
public final class RunsReport {

    /**
     * A run.
     *
     * @param settings all of its settings by name
     * @param rows its metrics so far, at least one
     */
    public record Run(String name, Map<String, String> settings, List<MetricsRow> rows) {}

    private final List<Run> runs;

    /** @param runs at least one; their names differ */
    public RunsReport(List<Run> runs) {
        this.runs = List.copyOf(runs);
    }

    /** A line a run: how far it is, and what came out at its last and at its best validation. */
    public TextTable results() {
        TextTable table =
                new TextTable().row("run", "tokens", "val loss", "best", "perplexity", "bits/byte", "tok/s", "skipped");
        for (Run run : runs) {
            List<MetricsRow> validated =
                    run.rows.stream().filter(MetricsRow::validated).toList();
            MetricsRow end = run.rows.get(run.rows.size() - 1);
            MetricsRow last = validated.isEmpty() ? end : validated.get(validated.size() - 1);
            double best = validated.stream()
                    .min(Comparator.comparingDouble(MetricsRow::valLoss))
                    .orElse(end)
                    .valLoss();
            table.row(
                    run.name,
                    Texts.format("%,d", end.tokens()),
                    number("%.4f", last.valLoss()),
                    number("%.4f", best),
                    number("%.3f", last.valPerplexity()),
                    number("%.4f", last.bitsPerByte()),
                    number("%,.0f", MetricsRow.tokensPerSecond(run.rows)),
                    end.skipped());
        }
        return table;
    }

    /** A line a setting that is not the same in all runs; empty where they differ in nothing. */
    public TextTable differences() {
        TextTable table = new TextTable();
        TreeSet<String> names = new TreeSet<>();
        runs.forEach(run -> names.addAll(run.settings.keySet()));
        for (String name : names) {
            List<String> values = runs.stream()
                    .map(run -> run.settings.getOrDefault(name, "-"))
                    .toList();
            if (values.stream().distinct().count() > 1) {
                if (table.rows().isEmpty()) {
                    table.row(cells("setting", runs.stream().map(Run::name).toList()));
                }
                table.row(cells(name, values));
            }
        }
        return table;
    }

    private static Object[] cells(String first, List<String> others) {
        List<Object> cells = new ArrayList<>(List.of(first));
        cells.addAll(others);
        return cells.toArray();
    }

    public HtmlReport toHtml() {
        List<Table> tables =
                new ArrayList<>(List.of(new Table("Results", true, results().rows())));
        TextTable differences = differences();
        if (!differences.rows().isEmpty()) {
            tables.add(new Table("Settings that differ", true, differences.rows()));
        }
        return new HtmlReport(
                runs.size() == 1 ? runs.get(0).name : runs.size() + " runs compared",
                differences.rows().isEmpty() ? "all settings are the same" : "",
                List.of(),
                List.of(
                        curves("Validation loss", "nats a token", MetricsRow::valLoss),
                        curves("Training loss", "nats a token", MetricsRow::trainLoss),
                        curves("Validation: bits a byte", "bits a byte of text", MetricsRow::bitsPerByte),
                        curves("Learning rate", "learning rate", MetricsRow::lr),
                        curves("Gradient norm", "norm before clipping", MetricsRow::gradNorm),
                        curves(
                                "Stagnation: updates that round-to-nearest would lose",
                                "share of weights",
                                MetricsRow::stagnation),
                        curves("Speed", "tokens a second", MetricsRow::tokPerS)),
                tables,
                List.of());
    }

    private Chart curves(String title, String yLabel, ToDoubleFunction<MetricsRow> value) {
        return RunReport.chart(
                title,
                yLabel,
                runs.stream()
                        .map(run -> RunReport.series(run.name, run.rows, value))
                        .toArray(Series[]::new));
    }

    private static String number(String format, double value) {
        return Double.isNaN(value) ? "-" : Texts.format(format, value);
    }
}
