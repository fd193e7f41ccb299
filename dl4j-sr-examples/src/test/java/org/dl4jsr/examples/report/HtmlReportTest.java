package org.dl4jsr.examples.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HtmlReportTest {

    @TempDir
    private Path directory;

    @Test
    void theFileHoldsAllItNeeds() throws IOException {
        Path file = directory.resolve("report.html");
        String sample = "String s = \"</script><b>\";";
        MetricsRow unmeasured = new MetricsRow(1, 128, 5.5, Double.NaN, Double.NaN, Double.NaN, 1e-3, 1, 0.5, 0, 1000);
        MetricsRow last = new MetricsRow(2, 256, 5.3, 5.4, 221.4, 7.8, 1e-3, 1, 0.5, 0, 1000);
        TextTable settings = new TextTable().row("Seed", 1);
        RunReport.of("nano", 1000, List.of(unmeasured, last), settings, new TextTable(), sample)
                .writeTo(file);
        String html = Files.readString(file);
        assertTrue(html.contains("uPlot=function") || html.contains("var uPlot"), "the chart library is inlined");
        assertFalse(html.matches("(?s).*<(script|link|img)[^>]+(src|href)=.*"), "nothing is loaded from elsewhere");
        assertTrue(html.contains("<\\/script><b>"), "data cannot end the script");
        String data = html.substring(html.indexOf("application/json"), html.indexOf("</script>"));
        assertFalse(data.contains("NaN"), "what was not measured is left out");
        assertEquals(3, html.split("</script>", -1).length - 1);
    }
}
