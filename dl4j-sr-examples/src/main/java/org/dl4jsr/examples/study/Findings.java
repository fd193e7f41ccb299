package org.dl4jsr.examples.study;

import java.util.List;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.TextTable;

/** What came out of a study. Charts hold every figure; tables hold those that fit on a page. */
record Findings(List<Verdict> verdicts, List<Section> sections, List<Chart> charts) {

    /** Whether what was measured has the sign and order that was claimed. */
    record Verdict(String claim, String measured, boolean agrees) {

        @Override
        public String toString() {
            return (agrees ? "[agrees]         " : "[does not agree] ") + claim + ": " + measured;
        }
    }

    /** A table under a heading. */
    record Section(String title, TextTable table) {}
}
