package org.dl4jsr.examples.study;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.StatUtils;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.study.Findings.Section;
import org.dl4jsr.examples.study.Findings.Verdict;

/** {@code regularization}: what one rounded step adds to the loss, and which wells rounded descent leaves. */
final class RegularizationStudy implements Study {

    private static final int SEEDS = 5;
    private static final int REPLICAS = 100_000;
    private static final int COORDINATES = 256;
    /** 2^-11 to 2^-1. */
    private static final double[] RATES =
            IntStream.rangeClosed(-11, -1).mapToDouble(e -> Math.scalb(1.0, e)).toArray();
    /** The rates at which nearest loses nearly every update, and those at which SR's error is above the noise. */
    private static final int LOW_RATES = 3;

    private static final int HIGH_RATES = 4;

    private static final int RUNS = 2000;
    private static final int STEPS = 1000;
    /** The sharp well's half width over the ulp. */
    private static final double[] HALF_WIDTHS = {0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 3, 4};

    private static final int ONE_ULP = 2;
    private static final int THREE_ULPS = 7;
    /** Rate times curvature in the sharp well: exact descent overshoots there and still converges. */
    private static final double SHARP = 1.5;
    /** The flat well's curvature over the sharp one's, which makes it ten times as wide at equal depth. */
    private static final double FLAT = 0.01;

    @Override
    public String name() {
        return "regularization";
    }

    @Override
    public String title() {
        return "Stochastic rounding as an implicit regularizer";
    }

    @Override
    public String claim() {
        return """
                The paper: descent with stochastic rounding follows, on average, the gradient of a modified loss: the loss,
                a quarter of the rate times the gradient's square (which exact descent has, too), and a penalty on curvature
                weighted by the rounding's variance; what is left is of third order in the rate, and of first order under
                round-to-nearest.
                Here: F(x) = 1/2 sum h_i x_i^2 with 256 coordinates on the BF16 grid, 0.5 <= |x_i| < 2, curvatures from 0.1
                to 1; 100,000 replicas of one step a rate. (1) The measured E[F(x')] - F(x - lr g) against
                1/2 sum h_i d_i (ulp_i - d_i), d_i the distance of x_i - lr g_i to its lower neighbour. Nearly all noise of
                the former is in its linear part, the mean of h_i e_i (x_i - lr g_i) over the rounding errors e_i, which is
                0; the rest, 1/2 sum h_i e_i^2, is given beside it. (2) The mean of x' against the flow of the modified loss
                at time lr, averaged over the coordinates towards 0. (3) Descent at rate 1.5 / h without any noise but the
                rounding's, in two wells of equal depth, the flat one ten times as wide. Half of the runs start at the bottom
                of either, so that exact descent ends flat in half of them. SR leaves no well that reaches further than
                ulp / (2 - lr h) = 2 ulps from its minimum: its noise is bounded.""";
    }

    @Override
    public Findings run(long seed, int divisor) {
        int replicas = REPLICAS / divisor;
        List<StepErrors> steps = Measurement.seeds(seed, SEEDS, s -> StepErrors.measure(s, replicas));
        Measurement penalty = Measurement.of(RATES, steps, StepErrors::penalty);
        Measurement curvature = Measurement.of(RATES, steps, StepErrors::curvature);
        Measurement formula = Measurement.of(RATES, steps, StepErrors::formula);
        Measurement nearest = Measurement.of(RATES, steps, StepErrors::nearest);
        Measurement stochasticDrift = Measurement.of(RATES, steps, StepErrors::stochasticDrift);
        Measurement nearestDrift = Measurement.of(RATES, steps, StepErrors::nearestDrift);
        Measurement thirdOrder = Measurement.of(RATES, steps, StepErrors::thirdOrder);

        int runs = Math.max(40, RUNS / divisor);
        List<Map<Rounding, double[]>> wells = Measurement.seeds(seed, SEEDS, s -> shareEndingFlat(s, runs));
        Map<Rounding, Measurement> flat = new EnumMap<>(Rounding.class);
        for (Rounding rounding : Rounding.values()) {
            flat.put(rounding, Measurement.of(HALF_WIDTHS, wells, run -> run.get(rounding)));
        }

        TextTable stepTable = new TextTable()
                .row(
                        "rate",
                        "SR adds",
                        "of it 1/2 sum h e^2",
                        "formula",
                        "nearest adds",
                        "SR: drift",
                        "lr^3 term",
                        "nearest: drift");
        for (int i = 0; i < RATES.length; i++) {
            stepTable.row(
                    Texts.format("%.3g", RATES[i]),
                    penalty.at(i),
                    curvature.at(i),
                    Texts.format("%.4g", formula.at(i).mean()),
                    nearest.at(i),
                    stochasticDrift.at(i),
                    Texts.format("%.4g", thirdOrder.at(i).mean()),
                    nearestDrift.at(i));
        }
        TextTable wellTable = new TextTable().row("half width / ulp", "exact", "nearest", "stochastic");
        for (int i = 0; i < HALF_WIDTHS.length; i++) {
            wellTable.row(
                    HALF_WIDTHS[i],
                    flat.get(Rounding.EXACT).at(i),
                    flat.get(Rounding.NEAREST).at(i),
                    flat.get(Rounding.STOCHASTIC).at(i));
        }

        Estimate ratio = ratio(penalty, formula);
        Estimate curvatureRatio = ratio(curvature, formula);
        Estimate stochasticOrder = stochasticDrift.slope(RATES.length - HIGH_RATES, RATES.length);
        Estimate nearestOrder = nearestDrift.slope(0, LOW_RATES);
        Estimate narrow = flat.get(Rounding.STOCHASTIC).at(ONE_ULP);
        Estimate narrowNearest = flat.get(Rounding.NEAREST).at(ONE_ULP);
        Estimate wide = flat.get(Rounding.STOCHASTIC).at(THREE_ULPS);
        return new Findings(
                List.of(
                        new Verdict(
                                "SR adds 1/2 sum h d (ulp - d) to the loss",
                                "measured over formula, all rates together: " + ratio + ", without the linear part "
                                        + curvatureRatio,
                                ratio.contains(1) && Math.abs(curvatureRatio.mean() - 1) < 0.01),
                        new Verdict(
                                "SR's error against the modified flow is of third order in the rate",
                                "slope " + stochasticOrder + " from rate 1/16 up, where it is above the noise",
                                Math.abs(stochasticOrder.mean() - 3) < 0.5),
                        new Verdict(
                                "nearest's is of first order",
                                "slope " + nearestOrder + " up to rate 2^-9",
                                Math.abs(nearestOrder.mean() - 1) < 0.2),
                        new Verdict(
                                "SR leaves sharp wells for flat ones",
                                "share that ends flat, at a sharp well of one ulp to either side: SR " + narrow
                                        + ", nearest " + narrowNearest + ", exact "
                                        + flat.get(Rounding.EXACT).at(ONE_ULP) + "; SR at three ulps: " + wide,
                                narrow.low() > 0.55 && narrow.mean() > narrowNearest.mean())),
                List.of(
                        new Section("One step (mean and 95% interval over " + SEEDS + " seeds)", stepTable),
                        new Section("Share of the runs that end in the flat well", wellTable)),
                List.of(
                        new Chart(
                                "Loss added by the rounding of one step",
                                "learning rate",
                                "E[F(x')] - F(x - lr g)",
                                true,
                                true,
                                List.of(
                                        penalty.series("SR"),
                                        curvature.series("SR, 1/2 sum h e^2"),
                                        dashed("1/2 sum h d (ulp - d)", formula),
                                        nearest.series("nearest"))),
                        new Chart(
                                "Distance of the mean step from the modified flow",
                                "learning rate",
                                "mean over the coordinates",
                                true,
                                true,
                                List.of(
                                        stochasticDrift.series("SR"),
                                        dashed("1/3 lr^3 h^3 |x|", thirdOrder),
                                        nearestDrift.series("nearest"))),
                        new Chart(
                                "Share of the runs that end in the flat well",
                                "half width of the sharp well / ulp",
                                "share",
                                true,
                                false,
                                List.of(
                                        flat.get(Rounding.EXACT).series("exact"),
                                        flat.get(Rounding.NEAREST).series("nearest"),
                                        flat.get(Rounding.STOCHASTIC).series("SR")))));
    }

    /** One over the other, each summed over all rates. */
    private static Estimate ratio(Measurement measured, Measurement formula) {
        return Estimate.of(IntStream.range(0, SEEDS)
                .mapToDouble(seed -> StatUtils.sum(measured.runs().get(seed))
                        / StatUtils.sum(formula.runs().get(seed)))
                .toArray());
    }

    private static Series dashed(String name, Measurement formula) {
        return new Series(
                name,
                true,
                IntStream.range(0, RATES.length)
                        .mapToObj(i -> new double[] {RATES[i], formula.at(i).mean()})
                        .toList());
    }

    /**
     * One step from a random point, by rate.
     *
     * @param penalty the mean over the replicas of F(x') - F(x - lr g) under SR
     * @param curvature the part of it that is of second order in the rounding errors
     * @param formula what both should be
     * @param nearest F(x') - F(x - lr g) under nearest
     * @param stochasticDrift how far nearer to 0 the mean x' is than the modified flow, a coordinate, under SR
     * @param nearestDrift how far off x' is, either way, a coordinate, under nearest
     * @param thirdOrder the first term of what {@code stochasticDrift} should be
     */
    private record StepErrors(
            double[] penalty,
            double[] curvature,
            double[] formula,
            double[] nearest,
            double[] stochasticDrift,
            double[] nearestDrift,
            double[] thirdOrder) {

        static StepErrors measure(long seed, int replicas) {
            Random random = new Random(seed);
            double[] h = new double[COORDINATES];
            float[] x = new float[COORDINATES];
            for (int i = 0; i < COORDINATES; i++) {
                h[i] = Math.pow(10, -random.nextDouble());
                double magnitude = 0.5 * Math.pow(4, random.nextDouble());
                x[i] = Rounding.NEAREST.store((float) (random.nextBoolean() ? magnitude : -magnitude), 0, 0, 0);
            }
            int rates = RATES.length;
            StepErrors errors = new StepErrors(
                    new double[rates],
                    new double[rates],
                    new double[rates],
                    new double[rates],
                    new double[rates],
                    new double[rates],
                    new double[rates]);
            for (int rate = 0; rate < rates; rate++) {
                for (int i = 0; i < COORDINATES; i++) {
                    errors.add(rate, i, h[i], x[i], seed, replicas);
                }
            }
            return errors;
        }

        private void add(int rate, int coordinate, double h, float x, long seed, int replicas) {
            double lr = RATES[rate];
            float y = (float) (x - lr * h * x);
            double sumOfErrors = 0;
            double sumOfSquares = 0;
            for (long replica = 0; replica < replicas; replica++) {
                double error =
                        Rounding.STOCHASTIC.store(y, seed, rate, replica * COORDINATES + coordinate) - (double) y;
                sumOfErrors += error;
                sumOfSquares += error * error;
            }
            double linear = h * y * sumOfErrors / replicas;
            double quadratic = h / 2 * sumOfSquares / replicas;
            penalty[rate] += linear + quadratic;
            curvature[rate] += quadratic;
            double ulp = Rounding.ulp(y);
            double d = Math.abs(y) % ulp;
            formula[rate] += h * d * (ulp - d) / 2;
            double error = Rounding.NEAREST.store(y, 0, 0, 0) - (double) y;
            nearest[rate] += h * error * (y + error / 2);
            double a = lr * h;
            double flow = x * Math.exp(-a - a * a / 2);
            stochasticDrift[rate] += Math.signum(x) * (flow - y - sumOfErrors / replicas) / COORDINATES;
            nearestDrift[rate] += Math.abs(flow - y - error) / COORDINATES;
            thirdOrder[rate] += a * a * a * Math.abs(x) / 3 / COORDINATES;
        }
    }

    /** By rounding and half width. */
    private static Map<Rounding, double[]> shareEndingFlat(long seed, int runs) {
        Map<Rounding, double[]> shares = new EnumMap<>(Rounding.class);
        for (Rounding rounding : Rounding.values()) {
            double[] share = new double[HALF_WIDTHS.length];
            for (int i = 0; i < share.length; i++) {
                Random random = new Random(seed);
                int flat = 0;
                for (int run = 0; run < runs; run++) {
                    flat += endsFlat(rounding, HALF_WIDTHS[i], random, seed, run, run % 2 == 0) ? 1 : 0;
                }
                share[i] = (double) flat / runs;
            }
            shares.put(rounding, share);
        }
        return shares;
    }

    /** One descent around 1.5, where an ulp is 2^-7; the wells' place against the grid is random. */
    private static boolean endsFlat(
            Rounding rounding, double halfWidth, Random random, long seed, int run, boolean startsFlat) {
        double ulp = Rounding.ulp(1.5f);
        double sharpHalf = halfWidth * ulp;
        double flatHalf = sharpHalf / Math.sqrt(FLAT);
        double barrier = 1.5 + ulp * random.nextDouble();
        double sharp = barrier - sharpHalf;
        double flat = barrier + flatHalf;
        float x = rounding.store((float) (startsFlat ? flat : sharp), seed, 0, run);
        for (int step = 1; step <= STEPS; step++) {
            double update = x > barrier ? SHARP * FLAT * (x - flat) : SHARP * (x - sharp);
            x = rounding.store((float) (x - update), seed, step, run);
        }
        return x > barrier;
    }
}
