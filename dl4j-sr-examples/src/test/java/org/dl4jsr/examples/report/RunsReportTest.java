package org.dl4jsr.examples.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.RunsReport.Run;
import org.junit.jupiter.api.Test;

class RunsReportTest {

    private static final Run DONE = new Run(
            "a",
            Map.of("lr", "0.1", "seed", "1", "policy", "fp32"),
            List.of(row(1, 5.5, Double.NaN), row(2, 5.0, 4.0), row(3, 4.8, 4.2)));
    private static final Run BEGUN =
            new Run("b", Map.of("lr", "0.2", "seed", "1", "policy", "fp32"), List.of(row(1, 5.4, Double.NaN)));

    @Test
    void resultsAreOfTheLastAndTheBestValidation() {
        assertEquals(
                List.of(
                        List.of("run", "tokens", "val loss", "best", "perplexity", "bits/byte", "tok/s", "skipped"),
                        List.of("a", "384", "4.2000", "4.0000", "66.686", "6.0593", "1,000", "0"),
                        List.of("b", "128", "-", "-", "-", "-", "1,000", "0")),
                new RunsReport(List.of(DONE, BEGUN)).results().rows());
    }

    @Test
    void settingsThatDifferAreShown() {
        assertEquals(
                List.of(List.of("setting", "a", "b"), List.of("lr", "0.1", "0.2")),
                new RunsReport(List.of(DONE, BEGUN)).differences().rows());
        assertEquals(
                List.of(), new RunsReport(List.of(DONE, DONE)).differences().rows());
    }

    @Test
    void curvesLieOverOneAnother() {
        HtmlReport page = new RunsReport(List.of(DONE, BEGUN)).toHtml();
        Chart training = page.charts().get(1);
        assertEquals("Training loss", training.title());
        assertEquals(
                List.of("a", "b"),
                training.series().stream().map(HtmlReport.Series::name).toList());
        assertEquals(2, page.charts().get(0).series().get(0).points().size());
        assertEquals(2, page.tables().size());
    }

    private static MetricsRow row(long step, double trainLoss, double valLoss) {
        return new MetricsRow(
                step, 128 * step, trainLoss, valLoss, Math.exp(valLoss), valLoss / Math.log(2), 1e-3, 1, 0.5, 0, 1000);
    }
}
