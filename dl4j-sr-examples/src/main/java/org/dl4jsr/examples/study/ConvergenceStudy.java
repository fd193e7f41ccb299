package org.dl4jsr.examples.study;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;
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

        boolean isNoisy() {
            return noisyShare == 1;
        }

        Series formula() {
            return new Series(
                    "formula, " + this,
                    true,
                    Arrays.stream(RATES)
                            .mapToObj(rate -> new double[] {rate, expectedExcess(rate)})
                            .toList());
        }

        /** Of SR under noise in every step, at a rate given over the ulp. */
        double expectedExcess(double rate) {
            double lr = rate * ulp();
            return fixedPoint((lr * lr + roundingVariance(lr, ulp())) / (2 * lr)) - fixedPoint(lr / 2);
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

        @Override
        public String toString() {
            return Texts.format("centre %.0f, beta2 %s", centre, beta2) + (isNoisy() ? "" : ", rare noise");
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

    private static final int ONE_ULP = 4;

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
                large from one to the next; once the noise is ten times as large, in one step of 100 alone. The start is 0.25
                off. E|F'(x)|^2 a coordinate over the last half of 16,384 steps, less what FP32 has
                with the same noise. Moments are FP32. The formula is the fixed point of x' = x - lr g / sqrt(E g^2) +
                rounding, whose variance is E[d (ulp - d)] with d = |lr N(0,1)| mod ulp.""";
    }

    /** What came out in one setting: E|F'|^2 a coordinate of FP32, and what the others have more. */
    private record Excess(Setting setting, Measurement exact, Measurement stochastic, Measurement nearest) {

        static Excess measure(Setting setting, long seed, int coordinates) {
            List<Map<Rounding, double[]>> runs = Measurement.seeds(seed, SEEDS, s -> settle(setting, s, coordinates));
            return new Excess(
                    setting,
                    Measurement.of(RATES, runs, run -> run.get(Rounding.EXACT)),
                    Measurement.of(RATES, runs, run -> excess(run, Rounding.STOCHASTIC)),
                    Measurement.of(RATES, runs, run -> excess(run, Rounding.NEAREST)));
        }

        double stochasticShare(int rate) {
            return stochastic.at(rate).mean() / exact.at(rate).mean();
        }

        double nearestShare(int rate) {
            return nearest.at(rate).mean() / exact.at(rate).mean();
        }

        TextTable table() {
            TextTable table = new TextTable()
                    .row("lr / ulp", "FP32", "SR: excess", "formula", "nearest: excess", "SR / FP32", "nearest / FP32");
            for (int i = 0; i < RATES.length; i++) {
                table.row(
                        RATES[i],
                        exact.at(i),
                        stochastic.at(i),
                        setting.isNoisy() ? Texts.format("%.4g", setting.expectedExcess(RATES[i])) : "-",
                        nearest.at(i),
                        Texts.format("%.3g", stochasticShare(i)),
                        Texts.format("%.3g", nearestShare(i)));
            }
            return table;
        }
    }

    @Override
    public Findings run(long seed, int divisor) {
        int coordinates = Math.max(2, COORDINATES / divisor);
        List<Excess> all = SETTINGS.stream()
                .map(setting -> Excess.measure(setting, seed, coordinates))
                .toList();
        List<Series> stochastic = new ArrayList<>();
        for (Excess excess : all) {
            stochastic.add(excess.stochastic.series(excess.setting.toString()));
            if (excess.setting.isNoisy()) {
                stochastic.add(excess.setting.formula());
            }
        }
        List<Series> nearest = all.stream()
                .map(excess -> excess.nearest.series(excess.setting.toString()))
                .toList();
        return new Findings(
                verdicts(all),
                all.stream()
                        .map(excess -> new Section("E|F'|^2, " + excess.setting, excess.table()))
                        .toList(),
                List.of(
                        new Chart(
                                "Excess of E|F'|^2 under SR",
                                "learning rate / ulp",
                                "E|F'|^2 less FP32's",
                                true,
                                true,
                                stochastic),
                        new Chart(
                                "Excess of E|F'|^2 under nearest",
                                "learning rate / ulp",
                                "E|F'|^2 less FP32's",
                                true,
                                true,
                                nearest)));
    }

    private static List<Verdict> verdicts(List<Excess> all) {
        List<Excess> noisy =
                all.stream().filter(excess -> excess.setting.isNoisy()).toList();
        Excess rare = all.get(all.size() - 1);
        int last = RATES.length - 1;
        Estimate overFormula = Estimate.of(noisy.stream()
                .mapToDouble(excess -> IntStream.rangeClosed(0, ONE_ULP)
                        .mapToDouble(i -> excess.stochastic.at(i).mean() / excess.setting.expectedExcess(RATES[i]))
                        .average()
                        .orElseThrow())
                .toArray());
        double slow = mean(noisy, excess -> excess.stochasticShare(0));
        double fast = mean(noisy, excess -> excess.stochasticShare(last));
        double nearestAtOneUlp = mean(noisy, excess -> excess.nearestShare(ONE_ULP));
        return List.of(
                new Verdict(
                        "SR's excess is that of its variance",
                        "over the formula, rates up to an ulp: " + overFormula + " (over the settings)",
                        Math.abs(overFormula.mean() - 1) < 0.15),
                new Verdict(
                        "SR's excess is subsumed as the rate rises against the ulp",
                        Texts.format("%.3g of FP32's own at %s ulps, %.2g at %s", slow, RATES[0], fast, RATES[last]),
                        slow > 1 && fast < 0.05),
                new Verdict(
                        "nearest's remains where most gradients have little noise",
                        Texts.format(
                                "with noise in one step of 100, at a rate of an ulp: %.3g of FP32's own; SR's %.2g",
                                rare.nearestShare(ONE_ULP), rare.stochasticShare(ONE_ULP)),
                        rare.nearestShare(ONE_ULP) > 1),
                new Verdict(
                        "nearest's remains under noise in every step",
                        Texts.format(
                                "it stops at rates up to an eighth of an ulp, but has %.2g of FP32's own at an ulp, SR %.2g:"
                                        + " the gradients' noise dithers it",
                                nearestAtOneUlp, mean(noisy, excess -> excess.stochasticShare(ONE_ULP))),
                        nearestAtOneUlp > 1));
    }

    private static double mean(List<Excess> all, ToDoubleFunction<Excess> value) {
        return all.stream().mapToDouble(value).average().orElseThrow();
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

    private static double settle(Setting setting, Rounding rounding, double learningRate, long seed, int coordinates) {
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
}
