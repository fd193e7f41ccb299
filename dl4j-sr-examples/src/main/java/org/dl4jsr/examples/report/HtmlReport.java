package org.dl4jsr.examples.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.Json;

/**
 * One self-contained HTML file: key figures, charts, tables and texts, with the chart library (uPlot) inlined. Follows
 * the reader's light or dark setting.
 *
 * @param title heading
 * @param subtitle a line under it
 * @param figures key figures, shown large
 * @param charts line charts
 * @param tables tables; the first row is the header unless {@link Table#header} is false
 * @param texts preformatted texts
 */
public record HtmlReport(
        String title, String subtitle, List<Figure> figures, List<Chart> charts, List<Table> tables, List<Text> texts) {

    private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/dist/";

    record Figure(String label, String value) {}

    /** A line chart; {@code logX} and {@code logY} for logarithmic axes, on the latter of which only y above 0 show. */
    public record Chart(String title, String xLabel, String yLabel, boolean logX, boolean logY, List<Series> series) {

        Chart(String title, String xLabel, String yLabel, boolean logX, List<Series> series) {
            this(title, xLabel, yLabel, logX, false, series);
        }
    }

    /**
     * Points of a line, x ascending: {x, y}, or {x, y, low, high} with the ends of an error bar; NaN in y is left out.
     *
     * @param dashed as for a formula beside what was measured
     */
    public record Series(String name, boolean dashed, List<double[]> points) {

        public Series {
            points = points.stream().filter(point -> Double.isFinite(point[1])).toList();
        }

        Series(String name, List<double[]> points) {
            this(name, false, points);
        }
    }

    public record Table(String title, boolean header, List<List<String>> rows) {}

    public record Text(String title, String text) {}

    public void writeTo(Path file) {
        // "</" would end the script element that holds the data
        String data = Json.compact(this).replace("</", "<\\/");
        AtomicFile.write(
                file,
                resource("report.html")
                        .replace("/*{uplot.css}*/", resource(UPLOT + "uPlot.min.css"))
                        .replace("/*{uplot.js}*/", resource(UPLOT + "uPlot.iife.min.js"))
                        .replace("{data}", data));
    }

    private static String resource(String name) {
        try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("Resource " + name + " is missing from the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
