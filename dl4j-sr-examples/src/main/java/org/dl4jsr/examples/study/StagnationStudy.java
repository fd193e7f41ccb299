package org.dl4jsr.examples.study;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.StatUtils;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.study.Findings.Section;
import org.dl4jsr.examples.study.Findings.Verdict;

/** {@code stagnation}: how long descent takes to a minimum, and how far from it it stays, by learning rate. */
final class StagnationStudy implements Study {

    private static final int SEEDS = 5;
    private static final int COORDINATES = 64;
    /** 2^-12 to 2^-1. */
    private static final double[] RATES =
            IntStream.rangeClosed(-12, -1).mapToDouble(e -> Math.scalb(1.0, e)).toArray();
    /** All is within [1, 2), where an ulp is 2^-7. */
    private static final double ULP = Rounding.ulp(1f);

    private static final double START = 25.6 * ULP;
    /** Steps, times the rate: FP32 needs 3.2 to come within an ulp. */
    private static final double STEPS = 20;

    @Override
    public String name() {
        return "stagnation";
    }

    @Override
    public String title() {
        return "Stagnation: nearest stops, stochastic rounding walks on";
    }

    @Override
    public String claim() {
        return """
                The paper: an update below half an ulp is lost under round-to-nearest, and descent stops; under stochastic
                rounding it arrives on average. The paper's own caveat: at low rates it is slower than FP32.
                Here: F(x) = 1/2 |x - x*|^2 in 64 coordinates between 1 and 2, where an ulp is 2^-7, each 25.6 ulps from its
                minimum, which is off the grid. Steps until the root mean square of the distances is an ulp, where FP32
                needs log(25.6) / -log(1 - lr); and that distance as an average over the last half of 20 / lr steps, where
                nearest is expected below ulp / (2 lr) and SR at ulp / sqrt(6).""";
    }

    @Override
    public Findings run(long seed, int divisor) {
        int coordinates = Math.max(4, COORDINATES / divisor);
        List<Map<Rounding, Descents>> runs = Measurement.seeds(seed, SEEDS, s -> descend(s, coordinates));
        Map<Rounding, Measurement> hits = new EnumMap<>(Rounding.class);
        Map<Rounding, Measurement> hovers = new EnumMap<>(Rounding.class);
        for (Rounding rounding : Rounding.values()) {
            hits.put(rounding, Measurement.of(RATES, runs, run -> run.get(rounding).firstHits));
            hovers.put(rounding, Measurement.of(RATES, runs, run -> run.get(rounding).hovers));
        }
        Measurement slowdown = Measurement.of(RATES, runs, StagnationStudy::slowdown);

        TextTable hitTable = new TextTable().row("rate", "FP32", "formula", "nearest", "SR", "SR / FP32");
        TextTable hoverTable = new TextTable().row("rate", "FP32", "nearest", "ulp / (2 lr)", "SR", "ulp / sqrt(6)");
        for (int i = 0; i < RATES.length; i++) {
            hitTable.row(
                    Texts.format("%.3g", RATES[i]),
                    hits.get(Rounding.EXACT).at(i),
                    Texts.format("%.4g", formula(RATES[i])),
                    Double.isNaN(hits.get(Rounding.NEAREST).at(i).mean())
                            ? "-"
                            : hits.get(Rounding.NEAREST).at(i),
                    hits.get(Rounding.STOCHASTIC).at(i),
                    slowdown.at(i));
            hoverTable.row(
                    Texts.format("%.3g", RATES[i]),
                    hovers.get(Rounding.EXACT).at(i),
                    hovers.get(Rounding.NEAREST).at(i),
                    Texts.format("%.4g", 1 / (2 * RATES[i])),
                    hovers.get(Rounding.STOCHASTIC).at(i),
                    Texts.format("%.4g", 1 / Math.sqrt(6)));
        }

        double[] arrived = IntStream.range(0, RATES.length)
                .filter(i -> !Double.isNaN(hits.get(Rounding.NEAREST).at(i).mean()))
                .mapToDouble(i -> RATES[i])
                .toArray();
        double nearestFrom = arrived.length == 0 ? Double.POSITIVE_INFINITY : arrived[0];
        boolean stochasticArrives = IntStream.range(0, RATES.length)
                .allMatch(i -> hits.get(Rounding.STOCHASTIC).at(i).mean() > 0);
        Estimate hover = lowRates(hovers.get(Rounding.STOCHASTIC));
        Estimate slow = lowRates(slowdown);
        return new Findings(
                List.of(
                        new Verdict(
                                "nearest stops short below a rate",
                                "it comes within an ulp "
                                        + (arrived.length == 0 ? "at no rate" : "from rate " + nearestFrom + " up"),
                                nearestFrom >= 0.25),
                        new Verdict(
                                "SR arrives at every rate",
                                stochasticArrives ? "it does" : "it does not",
                                stochasticArrives),
                        new Verdict(
                                "SR is slower than FP32 at low rates (the caveat)",
                                "steps over FP32's: " + slow + " at the six lowest rates",
                                slow.low() > 1),
                        new Verdict(
                                "SR hovers within an ulp of the minimum",
                                "at " + hover + " ulps at the six lowest rates, where ulp / sqrt(6) is 0.408",
                                hover.high() < 1)),
                List.of(
                        new Section(
                                "Steps to within an ulp (mean and 95% interval over " + SEEDS + " seeds)", hitTable),
                        new Section("Distance in ulps at the end", hoverTable)),
                List.of(
                        new Chart(
                                "Steps to within an ulp of the minimum",
                                "learning rate",
                                "steps",
                                true,
                                true,
                                List.of(
                                        hits.get(Rounding.EXACT).series("FP32"),
                                        formula("log(25.6) / -log(1 - lr)", StagnationStudy::formula),
                                        hits.get(Rounding.NEAREST).series("nearest"),
                                        hits.get(Rounding.STOCHASTIC).series("SR"))),
                        new Chart(
                                "Steps of SR over FP32's",
                                "learning rate",
                                "ratio",
                                true,
                                false,
                                List.of(slowdown.series("SR / FP32"))),
                        new Chart(
                                "Distance at the end",
                                "learning rate",
                                "ulps",
                                true,
                                true,
                                List.of(
                                        hovers.get(Rounding.EXACT).series("FP32"),
                                        hovers.get(Rounding.NEAREST).series("nearest"),
                                        formula("ulp / (2 lr)", rate -> Math.min(START / ULP, 1 / (2 * rate))),
                                        hovers.get(Rounding.STOCHASTIC).series("SR"),
                                        formula("ulp / sqrt(6)", rate -> 1 / Math.sqrt(6))))));
    }

    /** The mean over the lower half of the rates. */
    private static Estimate lowRates(Measurement measurement) {
        return Estimate.of(measurement.runs().stream()
                .mapToDouble(run -> StatUtils.mean(run, 0, RATES.length / 2))
                .toArray());
    }

    private static double formula(double rate) {
        return Math.log(START / ULP) / -Math.log1p(-rate);
    }

    private static Series formula(String name, DoubleUnaryOperator formula) {
        return new Series(
                name,
                true,
                Arrays.stream(RATES)
                        .mapToObj(rate -> new double[] {rate, formula.applyAsDouble(rate)})
                        .toList());
    }

    private static double[] slowdown(Map<Rounding, Descents> run) {
        return IntStream.range(0, RATES.length)
                .mapToDouble(i -> run.get(Rounding.STOCHASTIC).firstHits[i] / run.get(Rounding.EXACT).firstHits[i])
                .toArray();
    }

    /**
     * Descents by rate.
     *
     * @param firstHits steps until the distance was an ulp, NaN where it never was
     * @param hovers the distance in ulps over the last half of the steps
     */
    private record Descents(double[] firstHits, double[] hovers) {}

    private static Map<Rounding, Descents> descend(long seed, int coordinates) {
        Random random = new Random(seed);
        double[] minimum = random.doubles(coordinates, 1.25, 1.75).toArray();
        boolean[] above = new boolean[coordinates];
        for (int i = 0; i < coordinates; i++) {
            above[i] = random.nextBoolean();
        }
        Map<Rounding, Descents> descents = new EnumMap<>(Rounding.class);
        for (Rounding rounding : Rounding.values()) {
            Descents descent = new Descents(new double[RATES.length], new double[RATES.length]);
            for (int rate = 0; rate < RATES.length; rate++) {
                descend(rounding, rate, minimum, above, seed, descent);
            }
            descents.put(rounding, descent);
        }
        return descents;
    }

    private static void descend(
            Rounding rounding, int rate, double[] minimum, boolean[] above, long seed, Descents descent) {
        int n = minimum.length;
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = rounding.store((float) (minimum[i] + (above[i] ? START : -START)), seed, 0, i);
        }
        int steps = (int) Math.ceil(STEPS / RATES[rate]);
        double squares = 0;
        descent.firstHits[rate] = Double.NaN;
        for (int step = 1; step <= steps; step++) {
            double square = 0;
            for (int i = 0; i < n; i++) {
                x[i] = rounding.store((float) (x[i] - RATES[rate] * (x[i] - minimum[i])), seed, step, i);
                double distance = (x[i] - minimum[i]) / ULP;
                square += distance * distance / n;
            }
            if (square <= 1 && Double.isNaN(descent.firstHits[rate])) {
                descent.firstHits[rate] = step;
            }
            squares += step > steps / 2 ? square : 0;
        }
        descent.hovers[rate] = Math.sqrt(squares / (steps - steps / 2));
    }
}
