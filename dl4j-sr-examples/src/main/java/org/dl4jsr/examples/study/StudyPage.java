package org.dl4jsr.examples.study;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.dl4jsr.examples.report.HtmlReport;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.report.HtmlReport.Table;
import org.dl4jsr.examples.report.HtmlReport.Text;
import org.dl4jsr.examples.study.Findings.Section;
import org.dl4jsr.examples.study.Findings.Verdict;

/** What a study leaves for people: the same findings as a page of text, as CSV and as HTML. */
public final class StudyPage {

    private static final String CSV_HEADER = "chart,series,x,y,low,high";

    private final Study study;
    private final long seed;
    private final Findings findings;

    private StudyPage(Study study, long seed, Findings findings) {
        this.study = study;
        this.seed = seed;
        this.findings = findings;
    }

    /** Makes the study with this seed. */
    public static StudyPage of(Study study, long seed) {
        return new StudyPage(study, seed, study.run(seed, 1));
    }

    /** Claim, figures, verdicts. */
    public String toText() {
        String tables = findings.sections().stream()
                .map(section -> section.title() + "\n\n" + section.table() + "\n")
                .collect(Collectors.joining());
        return study.title() + "\n\n" + study.claim() + "\n\n" + tables + verdicts() + "\n";
    }

    /** A line a point of each chart; a formula has no interval, and low and high are empty. */
    public String toCsv() {
        return findings.charts().stream()
                .flatMap(chart -> chart.series().stream().flatMap(series -> rows(chart, series)))
                .collect(Collectors.joining("\n", CSV_HEADER + "\n", "\n"));
    }

    public HtmlReport toHtml() {
        return new HtmlReport(
                study.title(),
                "study " + study.name() + ", seed " + seed
                        + "; means over the seeds, bars are 95% confidence intervals",
                List.of(),
                findings.charts(),
                findings.sections().stream().map(StudyPage::table).toList(),
                List.of(new Text("The claim", study.claim()), new Text("What came out", verdicts())));
    }

    private String verdicts() {
        return findings.verdicts().stream().map(Verdict::toString).collect(Collectors.joining("\n"));
    }

    private static Table table(Section section) {
        return new Table(section.title(), true, section.table().rows());
    }

    private static Stream<String> rows(Chart chart, Series series) {
        return series.points().stream()
                .map(point -> quoted(chart.title()) + "," + quoted(series.name()) + ","
                        + Arrays.stream(point).mapToObj(Double::toString).collect(Collectors.joining(","))
                        + ",".repeat(4 - point.length));
    }

    private static String quoted(String text) {
        return text.contains(",") ? '"' + text + '"' : text;
    }
}
