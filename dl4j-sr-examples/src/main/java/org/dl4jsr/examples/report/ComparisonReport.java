package org.dl4jsr.examples.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.report.HtmlReport.Table;

/** Means and spreads over the seeds of a comparison, as a table and in HTML. */
public final class ComparisonReport {

    /** What is compared: a policy at a learning rate. */
    private record Setting(String policy, double learningRate) {}

    private final Map<Setting, List<ComparedRun>> runs;
    private final boolean sweep;

    public ComparisonReport(List<ComparedRun> runs) {
        this.runs = runs.stream()
                .collect(Collectors.groupingBy(
                        run -> new Setting(run.policy(), run.learningRate()), LinkedHashMap::new, Collectors.toList()));
        sweep = runs.stream().map(ComparedRun::learningRate).distinct().count() > 1;
    }

    /** A line a setting; the spread is the standard deviation over the seeds. */
    public TextTable table() {
        TextTable table = new TextTable()
                .row("policy", "lr", "seeds", "val loss", "spread", "- first", "perplexity", "bits/byte", "tok/s");
        double reference = mean(runs.values().iterator().next(), ComparedRun::valLoss);
        runs.forEach((setting, group) -> table.row(
                setting.policy,
                Texts.number(setting.learningRate),
                group.size(),
                Texts.format("%.4f", mean(group, ComparedRun::valLoss)),
                group.size() < 2 ? "-" : Texts.format("%.4f", spread(group)),
                Texts.format("%+.4f", mean(group, ComparedRun::valLoss) - reference),
                Texts.format("%.3f", mean(group, ComparedRun::valPerplexity)),
                Texts.format("%.4f", mean(group, ComparedRun::bitsPerByte)),
                Texts.format("%,.0f", mean(group, ComparedRun::tokensPerSecond))));
        return table;
    }

    /** @param model its name; {@code parameters} and {@code tokens} a run are its size */
    public HtmlReport toHtml(String model, long parameters, long tokens) {
        List<Chart> charts = new ArrayList<>();
        if (sweep) {
            charts.add(sweepChart());
        }
        charts.add(curves("Validation loss", "nats a token", MetricsRow::valLoss));
        charts.add(curves("Training loss", "nats a token", MetricsRow::trainLoss));
        charts.add(curves(
                "Stagnation: updates that round-to-nearest would lose", "share of weights", MetricsRow::stagnation));
        charts.add(curves("Gradient norm", "norm before clipping", MetricsRow::gradNorm));
        int seeds = runs.values().iterator().next().size();
        return new HtmlReport(
                "Policies compared on " + model,
                Texts.format(
                        "%,d parameters, %,d tokens a run; means over %d %s",
                        parameters, tokens, seeds, seeds == 1 ? "seed" : "seeds"),
                List.of(),
                charts,
                List.of(new Table("Results", true, table().rows())),
                List.of());
    }

    private Chart sweepChart() {
        Map<String, List<double[]>> points = new LinkedHashMap<>();
        runs.forEach((setting, group) -> points.computeIfAbsent(setting.policy, policy -> new ArrayList<>())
                .add(new double[] {setting.learningRate, mean(group, ComparedRun::valLoss)}));
        List<Series> series = new ArrayList<>();
        points.forEach((policy, line) -> {
            line.sort((a, b) -> Double.compare(a[0], b[0]));
            series.add(new Series(policy, line));
        });
        return new Chart("Validation loss by learning rate", "learning rate", "nats a token", true, series);
    }

    /** A line a setting: the mean over the seeds at each step that all of them have. */
    private Chart curves(String title, String yLabel, ToDoubleFunction<MetricsRow> value) {
        List<Series> series = new ArrayList<>();
        runs.forEach((setting, group) -> {
            Map<Long, List<Double>> byTokens = new TreeMap<>();
            for (ComparedRun run : group) {
                for (MetricsRow row : run.rows()) {
                    byTokens.computeIfAbsent(row.tokens(), tokens -> new ArrayList<>())
                            .add(value.applyAsDouble(row));
                }
            }
            List<double[]> points = new ArrayList<>();
            byTokens.forEach((tokens, values) -> {
                if (values.size() == group.size()) {
                    points.add(new double[] {
                        tokens,
                        values.stream()
                                .mapToDouble(Double::doubleValue)
                                .average()
                                .orElseThrow()
                    });
                }
            });
            series.add(new Series(
                    sweep ? setting.policy + " " + Texts.number(setting.learningRate) : setting.policy, points));
        });
        return new Chart(title, "tokens", yLabel, false, series);
    }

    private static double mean(List<ComparedRun> group, ToDoubleFunction<ComparedRun> value) {
        return group.stream().mapToDouble(value).average().orElseThrow();
    }

    private static double spread(List<ComparedRun> group) {
        double mean = mean(group, ComparedRun::valLoss);
        return Math.sqrt(group.stream()
                        .mapToDouble(run -> Math.pow(run.valLoss() - mean, 2))
                        .sum()
                / (group.size() - 1));
    }
}
