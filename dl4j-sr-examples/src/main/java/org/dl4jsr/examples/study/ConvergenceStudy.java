package org.dl4jsr.examples.study;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.study.Findings.Section;
import org.dl4jsr.examples.study.Findings.Verdict;

/** {@code convergence}: what rounding adds to the gradient's norm at which Adam settles, by rate and quantization. */
final class ConvergenceStudy implements Study {

    /**
     * Adam on a problem around {@code centre}, where an ulp is 2^-7 times the centre.
     *
     * @param noisyShare the share of the steps whose gradient has noise; its variance over all steps is 1
     */
    private record Setting(double centre, double beta2, double noisyShare) {

        double ulp() {
            return Rounding.ulp((float) centre);
        }

        @Override
        public String toString() {
            return Texts.format("centre %.0f, beta2 %s", centre, beta2) + (noisyShare < 1 ? ", rare noise" : "");
        }
    }

    private static final int SEEDS = 5;
    private static final int COORDINATES = 32;
    private static final int STEPS = 16_384;
    private static final double EPSILON = 1e-8;
    /** Distance from the minimum at the start. */
    private static final double START = 0.25;
    /** Learning rates over the ulp: 2^-4 to 2^3. */
    private static final double[] RATES =
            IntStream.rangeClosed(-4, 3).mapToDouble(e -> Math.scalb(1.0, e)).toArray();
    /** Of these, the ones up to half an ulp. */
    private static final int LOW_RATES = 4;

    private static final List<Setting> SETTINGS = List.of(
            new Setting(1, 0.99, 1),
            new Setting(4, 0.99, 1),
            new Setting(16, 0.99, 1),
            new Setting(64, 0.99, 1),
            new Setting(1, 0.9, 1),
            new Setting(1, 0.999, 1),
            new Setting(1, 0.999, 0.01));

    @Override
    public String name() {
        return "convergence";
    }

    @Override
    public String title() {
        return "Adam's convergence: what rounding adds to the gradient's norm";
    }

    @Override
    public String claim() {
        return """
                The paper: with beta1 = 0, Adam with stochastic rounding converges to a region whose extra term from the
                quantization is subsumed by Adam's own as the learning rate rises against the quantization; under
                round-to-nearest a term remains.
                Here: F(x) = 1/2 |x - x*|^2 in 32 coordinates, x* between 1.4 and 1.6 times the centre, gradients with
                normal noise of deviation 1, so that the problem is the same around each centre and an ulp four times as
                large from one to the next. E|F'(x)|^2 a coordinate over the last half of 16,384 steps, less what FP32 has
                with the same noise. Moments are FP32. The formula is the fixed point of x' = x - lr g / sqrt(E g^2) +
                rounding, whose variance is E[d (ulp - d)] with d = |lr N(0,1)| mod ulp.""";
    }

    @Override
    public Findings run(long seed, int divisor) {
        int coordinates = Math.max(2, COORDINATES / divisor);
        List<Chart> charts = new ArrayList<>();
        List<Section> sections = new ArrayList<>();
        List<Series> stochastic = new ArrayList<>();
        List<Series> nearest = new ArrayList<>();
        List<Verdict> verdicts = new ArrayList<>();
        for (Setting setting : SETTINGS) {
            List<Map<Rounding, double[]>> runs = Measurement.seeds(seed, SEEDS, s -> settle(setting, s, coordinates));
            Measurement exact = Measurement.of(RATES, runs, run -> run.get(Rounding.EXACT));
            Measurement ofStochastic = Measurement.of(RATES, runs, run -> excess(run, Rounding.STOCHASTIC));
            Measurement ofNearest = Measurement.of(RATES, runs, run -> excess(run, Rounding.NEAREST));
            TextTable table = new TextTable()
                    .row("lr / ulp", "FP32", "SR: excess", "formula", "nearest: excess", "SR / FP32", "nearest / FP32");
            List<double[]> formula = new ArrayList<>();
            for (int i = 0; i < RATES.length; i++) {
                double expected = expectedExcess(setting, RATES[i]);
                formula.add(new double[] {RATES[i], expected});
                double own = exact.at(i).mean();
                table.row(
                        RATES[i],
                        exact.at(i),
                        ofStochastic.at(i),
                        Texts.format("%.4g", expected),
                        ofNearest.at(i),
                        Texts.format("%.3g", ofStochastic.at(i).mean() / own),
                        Texts.format("%.3g", ofNearest.at(i).mean() / own));
            }
            sections.add(new Section("E|F'|^2, " + setting, table));
            stochastic.add(ofStochastic.series(setting.toString()));
            stochastic.add(new Series("formula, " + setting, true, formula));
            nearest.add(ofNearest.series(setting.toString()));
            verdicts.addAll(verdicts(setting, exact, ofStochastic, ofNearest));
        }
        charts.add(new Chart("Excess of the gradient's norm under SR", "lr / ulp", "E|F'|^2 less FP32's", true, true, stochastic));
        charts.add(new Chart("Excess of the gradient's norm under nearest", "lr / ulp", "E|F'|^2 less FP32's", true, true, nearest));
        return new Findings(verdicts, sections, charts);
    }

    private static List<Verdict> verdicts(Setting setting, Measurement exact, Measurement stochastic, Measurement nearest) {
        int last = RATES.length - 1;
        double first = stochastic.at(0).mean() / exact.at(0).mean();
        double end = stochastic.at(last).mean() / exact.at(last).mean();
        double low = Arrays.stream(RATES, 0, LOW_RATES).map(rate -> 0).sum();
        for (int i = 0; i < LOW_RATES; i++) {
            low += nearest.at(i).mean() / stochastic.at(i).mean() / LOW_RATES;
        }
        return List.of(new Verdict(
                "SR's excess vanishes as the rate rises, " + setting,
                Texts.format("from %.3g to %.3g of FP32's own; nearest's over SR's %.3g up to half an ulp", first, end, low),
                end < 0.05 && first > 10 * end));
    }

    private static double[] excess(Map<Rounding, double[]> run, Rounding rounding) {
        return IntStream.range(0, RATES.length)
                .mapToDouble(i -> run.get(rounding)[i] - run.get(Rounding.EXACT)[i])
                .toArray();
    }

    /** E|F'|^2 a coordinate, by rounding and rate. */
    private static Map<Rounding, double[]> settle(Setting setting, long seed, int coordinates) {
        Map<Rounding, double[]> squares = new EnumMap<>(Rounding.class);
        for (Rounding rounding : Rounding.values()) {
            double[] ofRates = new double[RATES.length];
            for (int rate = 0; rate < ofRates.length; rate++) {
                ofRates[rate] = settle(setting, rounding, RATES[rate] * setting.ulp(), seed, coordinates);
            }
            squares.put(rounding, ofRates);
        }
        return squares;
    }

    private static double settle(
            Setting setting, Rounding rounding, double learningRate, long seed, int coordinates) {
        Random random = new Random(seed);
        double[] minimum = random.doubles(coordinates, 1.4 * setting.centre, 1.6 * setting.centre)
                .toArray();
        float[] x = new float[coordinates];
        double[] v = new double[coordinates];
        for (int i = 0; i < coordinates; i++) {
            x[i] = rounding.store((float) (minimum[i] + (random.nextBoolean() ? START : -START)), seed, 0, i);
        }
        double noise = 1 / Math.sqrt(setting.noisyShare);
        double squares = 0;
        for (int step = 1; step <= STEPS; step++) {
            double correction = 1 - Math.pow(setting.beta2, step);
            for (int i = 0; i < coordinates; i++) {
                double slope = x[i] - minimum[i];
                double g = random.nextDouble() < setting.noisyShare ? slope + noise * random.nextGaussian() : slope;
                v[i] = setting.beta2 * v[i] + (1 - setting.beta2) * g * g;
                double update = learningRate * g / (Math.sqrt(v[i] / correction) + EPSILON);
                x[i] = rounding.store((float) (x[i] - update), seed, step, i);
                squares += step > STEPS / 2 ? slope * slope : 0;
            }
        }
        return squares / coordinates / (STEPS - STEPS / 2);
    }

    private static double expectedExcess(Setting setting, double rate) {
        double ulp = setting.ulp();
        double lr = rate * ulp;
        return fixedPoint((lr * lr + roundingVariance(lr, ulp)) / (2 * lr)) - fixedPoint(lr / 2);
    }

    /** The X of X = a sqrt(X + 1): what enters in a step is what a step takes away. */
    private static double fixedPoint(double a) {
        return (a * a + a * Math.sqrt(a * a + 4)) / 2;
    }

    /** E[d (ulp - d)] with d = |lr N(0, 1)| mod ulp, over equally likely parts of the normal distribution. */
    private static double roundingVariance(double lr, double ulp) {
        NormalDistribution normal = new NormalDistribution(null, 0, 1);
        int parts = 10_000;
        return IntStream.range(0, parts)
                .mapToDouble(i -> Math.abs(lr * normal.inverseCumulativeProbability((i + 0.5) / parts)) % ulp)
                .map(d -> d * (ulp - d))
                .average()
                .orElseThrow();
    }
}
