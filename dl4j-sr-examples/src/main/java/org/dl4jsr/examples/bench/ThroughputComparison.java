package org.dl4jsr.examples.bench;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jsr.examples.io.Bytes;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.run.MemoryPlan;
import org.dl4jsr.examples.run.RunConfig;

/**
 * Speed and memory of training under some policies. The policies take turns for some rounds, and the fastest round
 * counts: the machine's speed may waver.
 */
public final class ThroughputComparison {

    static final String CSV_HEADER =
            "policy,preset,tok_per_s,ms_per_step,ms_optimizer,gflops,model_state_bytes,peak_bytes";

    private static final int ROUNDS = 3;

    private final Map<RunConfig, ThroughputRun.Result> best = new LinkedHashMap<>();

    /** Measures; progress goes to standard error. */
    public static ThroughputComparison of(List<RunConfig> configs) throws IOException, InterruptedException {
        ThroughputComparison comparison = new ThroughputComparison();
        for (int round = 1; round <= ROUNDS; round++) {
            for (RunConfig config : configs) {
                ThroughputRun.Result result = ThroughputRun.of(config);
                System.err.println(Texts.format(
                        "round %d of %d  %-12s %,.0f tok/s",
                        round, ROUNDS, config.policy(), result.tokensPerSecond(config)));
                comparison.add(config, result);
            }
        }
        return comparison;
    }

    void add(RunConfig config, ThroughputRun.Result result) {
        best.merge(config, result, ThroughputRun.Result::best);
    }

    /** A line a policy, with ratios to the first. */
    @Override
    public String toString() {
        RunConfig first = best.keySet().iterator().next();
        ThroughputRun.Result reference = best.get(first);
        TextTable table = new TextTable()
                .row(
                        "policy",
                        "tok/s",
                        "ratio",
                        "ms/step",
                        "ms optimizer",
                        "GFLOP/s",
                        "model state",
                        "ratio",
                        "peak memory",
                        "ratio");
        best.forEach((config, result) -> table.row(
                config.policy(),
                Texts.format("%,.0f", result.tokensPerSecond(config)),
                ratio(result.tokensPerSecond(config), reference.tokensPerSecond(first)),
                Texts.format("%.1f", result.msPerStep()),
                Texts.format("%.2f", result.msOptimizer()),
                Texts.format("%.0f", result.gflops(config)),
                Bytes.format(state(config)),
                ratio(state(config), state(first)),
                Bytes.format(result.peakBytes()),
                ratio(result.peakBytes(), reference.peakBytes())));
        return Texts.format(
                "%s, batch %d x %d, context %d; best of %d rounds, each in a process of its own%n%n%s",
                first.model().preset(),
                first.budget().batch(),
                first.budget().accumulate(),
                first.model().context(),
                ROUNDS,
                table);
    }

    /** A header and a line a policy. */
    public String toCsv() {
        StringBuilder csv = new StringBuilder(CSV_HEADER).append('\n');
        best.forEach((config, result) -> csv.append(Texts.format(
                "%s,%s,%.1f,%.3f,%.3f,%.1f,%d,%d\n",
                config.policy(),
                config.model().preset(),
                result.tokensPerSecond(config),
                result.msPerStep(),
                result.msOptimizer(),
                result.gflops(config),
                state(config),
                result.peakBytes())));
        return csv.toString();
    }

    private static long state(RunConfig config) {
        return MemoryPlan.of(config).modelState();
    }

    private static String ratio(double value, double first) {
        return Texts.format("%.2f", value / first);
    }
}
