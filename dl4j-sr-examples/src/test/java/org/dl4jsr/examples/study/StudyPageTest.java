package org.dl4jsr.examples.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.study.Findings.Section;
import org.dl4jsr.examples.study.Findings.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StudyPageTest {

    @TempDir
    private Path directory;

    private final StudyPage page = StudyPage.of(new Doubling(), 3);

    @Test
    void theTextSaysWhatIsClaimedAndWhatCameOut() {
        assertEquals(
                """
                Doubling

                Twice is more.

                Results

                x    y
                1  2.0

                [agrees]         twice is more: 2
                [does not agree] twice is less: 2
                """,
                page.toText());
    }

    @Test
    void theCsvHasEveryPointWithItsInterval() {
        assertEquals(
                """
                chart,series,x,y,low,high
                "Twice, drawn",measured,1.0,2.0,1.5,2.5
                "Twice, drawn",formula,1.0,2.0,,
                """,
                page.toCsv());
    }

    @Test
    void theReportHoldsBoth() throws IOException {
        Path html = directory.resolve("page.html");
        page.toHtml().writeTo(html);
        String report = Files.readString(html);
        assertTrue(report.contains("\"dashed\":true") && report.contains("[1.0,2.0,1.5,2.5]"));
        assertTrue(report.contains("seed 3") && report.contains("Twice is more."));
    }

    private static final class Doubling implements Study {

        @Override
        public String name() {
            return "doubling";
        }

        @Override
        public String title() {
            return "Doubling";
        }

        @Override
        public String claim() {
            return "Twice is more.";
        }

        @Override
        public Findings run(long seed, int divisor) {
            return new Findings(
                    List.of(new Verdict("twice is more", "2", true), new Verdict("twice is less", "2", false)),
                    List.of(new Section("Results", new TextTable().row("x", "y").row(1, 2.0))),
                    List.of(new Chart(
                            "Twice, drawn",
                            "x",
                            "y",
                            false,
                            false,
                            List.of(
                                    new Series("measured", false, List.of(new double[] {1, 2, 1.5, 2.5})),
                                    new Series("formula", true, List.of(new double[] {1, 2}))))));
        }
    }
}
