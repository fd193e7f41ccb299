package org.dl4jsr.examples.bench;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.math3.stat.StatUtils;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.run.RunConfig;

/**
 * Speed of training under some policies, a step of each in turn in this process: what makes the machine waver hits all
 * alike, and the ratios are those of neighbouring steps.
 */
public final class StepsInTurn {

    /** Java's compilers take their share of the processors for about so long. */
    private static final double WARMUP_SECONDS = 30;

    private static final double SECONDS = 120;
    /** Standard errors to either side of a mean that hold 95% of all. */
    private static final double INTERVAL = 1.96;

    private final List<RunConfig> configs;
    private final List<TrainingStep> steps;

    private StepsInTurn(List<RunConfig> configs) {
        this.configs = configs;
        steps = configs.stream().map(TrainingStep::new).toList();
    }

    /** A line a policy, with ratios of tokens a second to the first and their 95% intervals. */
    public static String of(List<RunConfig> configs) {
        return of(configs, WARMUP_SECONDS, SECONDS);
    }

    static String of(List<RunConfig> configs, double warmupSeconds, double seconds) {
        StepsInTurn inTurn = new StepsInTurn(configs);
        inTurn.rounds(warmupSeconds);
        return inTurn.table(inTurn.rounds(seconds));
    }

    /** Milliseconds [round, policy], of at least two rounds. */
    private List<double[]> rounds(double seconds) {
        List<double[]> rounds = new ArrayList<>();
        long start = System.nanoTime();
        while (rounds.size() < 2 || System.nanoTime() - start < seconds * 1e9) {
            double[] ms = new double[steps.size()];
            for (int i = 0; i < ms.length; i++) {
                int next = (rounds.size() + i) % ms.length; // each begins as often
                configs.get(next).bf16Policy().activate();
                long before = System.nanoTime();
                steps.get(next).run();
                ms[next] = (System.nanoTime() - before) / 1e6;
            }
            rounds.add(ms);
        }
        return rounds;
    }

    private String table(List<double[]> rounds) {
        TextTable table = new TextTable().row("policy", "median ms/step", "fastest", "tok/s, ratio", "95% interval");
        for (int policy = 0; policy < configs.size(); policy++) {
            int own = policy;
            double[] ms = rounds.stream().mapToDouble(round -> round[own]).toArray();
            double[] logRatios = rounds.stream()
                    .mapToDouble(round -> Math.log(round[0] / round[own]))
                    .toArray();
            double mean = StatUtils.mean(logRatios);
            double error = INTERVAL * Math.sqrt(StatUtils.variance(logRatios) / logRatios.length);
            table.row(
                    configs.get(policy).policy(),
                    Texts.format("%.1f", StatUtils.percentile(ms, 50)),
                    Texts.format("%.1f", StatUtils.min(ms)),
                    Texts.format("%.3f", Math.exp(mean)),
                    policy == 0 ? "-" : Texts.format("%.3f to %.3f", Math.exp(mean - error), Math.exp(mean + error)));
        }
        RunConfig first = configs.get(0);
        return Texts.format(
                "%s, batch %d x %d, context %d; %d steps of each, in turn%n%n%s",
                first.model().preset(),
                first.budget().batch(),
                first.budget().accumulate(),
                first.model().context(),
                rounds.size(),
                table);
    }
}
