package org.dl4jsr.examples.study;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.study.Findings.Section;
import org.dl4jsr.examples.study.Findings.Verdict;

/** {@code moments}: how far a weight travels when Adam's moments are rounded, by beta1 and beta2. */
final class MomentsStudy implements Study {

    private static final int SEEDS = 5;
    private static final int WEIGHTS = 256;
    private static final double[] BETAS = {0.9, 0.95, 0.98, 0.99, 0.995, 0.997, 0.998, 0.999};
    private static final int AT_099 = 3;
    private static final int AT_0997 = 5;
    /** Steps of each phase, in units of 1 / (1 - beta). */
    private static final int PHASE = 20;

    @Override
    public String name() {
        return "moments";
    }

    @Override
    public String title() {
        return "Which rounding Adam's moments need in BF16";
    }

    @Override
    public String claim() {
        return """
                The paper keeps m and v in BF16, too. A moment moves by a share 1 - beta of what it lacks, which is less than
                half an ulp long before it has arrived: rounded to nearest it stalls, rounded stochastically it does not.
                Here: 256 weights with constant gradients between 1 and 2, for 20 / (1 - beta) steps, each moment alone
                (the other, and the weight, exact). (m) Then the gradient is 0 as long: exact m decays and the weight rolls
                out. (v) Then the gradient is a tenth as long: exact v follows, and Adam's step is as long as before. The
                travel of the weight is given over that with the exact moment.""";
    }

    @Override
    public Findings run(long seed, int divisor) {
        int weights = Math.max(8, WEIGHTS / divisor);
        List<Map<Rounding, Travels>> runs = Measurement.seeds(seed, SEEDS, s -> travel(s, weights));
        Chart[] charts = new Chart[4];
        String[] titles = {
            "m: travel under a constant gradient",
            "m: travel after the gradient has stopped",
            "v: travel under a constant gradient",
            "v: travel after the gradient has fallen to a tenth"
        };
        Measurement[] nearest = new Measurement[charts.length];
        Measurement[] stochastic = new Measurement[charts.length];
        for (int i = 0; i < charts.length; i++) {
            int phase = i;
            nearest[i] = Measurement.of(BETAS, runs, run -> ratio(run, Rounding.NEAREST, phase));
            stochastic[i] = Measurement.of(BETAS, runs, run -> ratio(run, Rounding.STOCHASTIC, phase));
            charts[i] = new Chart(
                    titles[i],
                    i < 2 ? "beta1" : "beta2",
                    "travel over that with exact moments",
                    false,
                    false,
                    List.of(nearest[i].series("nearest"), stochastic[i].series("stochastic"), exact()));
        }
        TextTable mTable = table("beta1", nearest[0], stochastic[0], nearest[1], stochastic[1]);
        TextTable vTable = table("beta2", nearest[2], stochastic[2], nearest[3], stochastic[3]);
        Estimate shortfall = nearest[0].at(AT_099);
        Estimate roll = nearest[1].at(AT_0997);
        double worst = 0;
        for (Measurement measurement : stochastic) {
            for (int i = 0; i < BETAS.length; i++) {
                worst = Math.max(worst, Math.abs(measurement.at(i).mean() - 1));
            }
        }
        return new Findings(
                List.of(
                        new Verdict(
                                "m to nearest falls short under a constant gradient",
                                "at beta1 = 0.99 the travel is " + shortfall + " of the exact",
                                shortfall.high() < 0.9),
                        new Verdict(
                                "m to nearest never decays from beta1 = 0.997 up",
                                "travel after the gradient has stopped over the exact, at 0.997: " + roll,
                                roll.low() > 2),
                        new Verdict(
                                "v to nearest stalls from beta2 = 0.997 up",
                                "travel over the exact, at 0.997: " + nearest[2].at(AT_0997)
                                        + ", after the gradient has fallen to a tenth: " + nearest[3].at(AT_0997),
                                nearest[2].at(AT_0997).low() > 1.1
                                        && nearest[3].at(AT_0997).high() < 0.9),
                        new Verdict(
                                "rounded stochastically, neither stalls",
                                Texts.format("the travel is nowhere off by more than %.1f%%", 100 * worst),
                                worst < 0.05)),
                List.of(
                        new Section("m: travel over the exact", mTable),
                        new Section("v: travel over the exact", vTable)),
                List.of(charts));
    }

    private static Series exact() {
        return new Series(
                "exact", true, List.of(new double[] {BETAS[0], 1}, new double[] {BETAS[BETAS.length - 1], 1}));
    }

    private static TextTable table(String beta, Measurement... columns) {
        TextTable table = new TextTable().row(beta, "nearest", "stochastic", "nearest, then", "stochastic, then");
        for (int i = 0; i < BETAS.length; i++) {
            table.row(BETAS[i], columns[0].at(i), columns[1].at(i), columns[2].at(i), columns[3].at(i));
        }
        return table;
    }

    private static double[] ratio(Map<Rounding, Travels> run, Rounding rounding, int phase) {
        double[] ratio = new double[BETAS.length];
        for (int i = 0; i < ratio.length; i++) {
            ratio[i] = run.get(rounding).of[phase][i] / run.get(Rounding.EXACT).of[phase][i];
        }
        return ratio;
    }

    /** The mean travel of a weight over the learning rate, [phase of m or v][beta]. */
    private record Travels(double[][] of) {

        /** With v exact: its root is the gradient, also after that has stopped. */
        void addM(Rounding rounding, int beta, double gradient, long seed, int weight) {
            double keep = BETAS[beta];
            int steps = steps(beta);
            float m = 0;
            for (int step = 1; step <= 2 * steps; step++) {
                boolean stopped = step > steps;
                m = rounding.store((float) (keep * m + (stopped ? 0 : (1 - keep) * gradient)), seed, step, weight);
                of[stopped ? 1 : 0][beta] += m / (1 - Math.pow(keep, step)) / gradient;
            }
        }

        /** With m exact: bias-corrected, it is the gradient. */
        void addV(Rounding rounding, int beta, double gradient, long seed, int weight) {
            double keep = BETAS[beta];
            int steps = steps(beta);
            float v = 0;
            for (int step = 1; step <= 2 * steps; step++) {
                boolean fallen = step > steps;
                double g = fallen ? gradient / 10 : gradient;
                v = rounding.store((float) (keep * v + (1 - keep) * g * g), seed, step, weight);
                of[fallen ? 3 : 2][beta] += g / Math.sqrt(v / (1 - Math.pow(keep, step)));
            }
        }

        private static int steps(int beta) {
            return (int) Math.round(PHASE / (1 - BETAS[beta]));
        }
    }

    private static Map<Rounding, Travels> travel(long seed, int weights) {
        Map<Rounding, Travels> travels = new EnumMap<>(Rounding.class);
        for (Rounding rounding : Rounding.values()) {
            Travels ofRounding = new Travels(new double[4][BETAS.length]);
            Random random = new Random(seed);
            for (int weight = 0; weight < weights; weight++) {
                double gradient = Math.pow(2, random.nextDouble());
                for (int i = 0; i < BETAS.length; i++) {
                    ofRounding.addM(rounding, i, gradient, seed, weight);
                    ofRounding.addV(rounding, i, gradient, seed, weight);
                }
            }
            travels.put(rounding, ofRounding);
        }
        return travels;
    }
}
