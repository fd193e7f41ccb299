package org.dl4jsr.examples.study;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.report.MetricsRow;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.run.GptNetwork;
import org.dl4jsr.examples.run.Preset;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.Trainer;
import org.dl4jsr.examples.run.TrainingState;
import org.dl4jsr.examples.study.Findings.Section;
import org.dl4jsr.examples.study.Findings.Verdict;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.NonFiniteGradientException;

/** {@code learning-rate}: the loss of stochastic rounding and of mixed precision over rates up to divergence. */
final class LearningRateStudy implements Study {

    private static final int SEEDS = 3;
    private static final List<Bf16Policy> POLICIES = List.of(Bf16Policy.SR, Bf16Policy.O2, Bf16Policy.O1);
    /** 80 steps of the nano preset: 63 runs fit into ten minutes on two cores. */
    private static final long TOKENS = 163_840;
    /** A rate is stable where the mean loss is no further than this above the policy's best, in nats a token. */
    private static final double STABLE = 0.2;

    private final RunConfig config;
    private final double[] rates;

    LearningRateStudy() {
        this(
                Preset.NANO.config().withBudget(Preset.NANO.config().budget().withTokens(TOKENS)),
                0.001,
                0.002,
                0.004,
                0.008,
                0.016,
                0.032,
                0.128);
    }

    /**
     * @param config of every run, but for policy, learning rate and seed
     * @param rates ascending
     */
    LearningRateStudy(RunConfig config, double... rates) {
        this.config = config;
        this.rates = rates;
    }

    @Override
    public String name() {
        return "learning-rate";
    }

    @Override
    public String title() {
        return "The learning rates that stochastic rounding and mixed precision bear";
    }

    @Override
    public String claim() {
        return Texts.format(
                """
                The paper: BF16 with stochastic rounding trains stably at two to four times the learning rate of mixed
                precision, and reaches a better perplexity.
                Here: the nano model for %,d tokens a run under bf16-sr, bf16-o2 and bf16-o1, three seeds, AdamW with
                beta2 = 0.95, clipping at 1, a tenth of warmup and a cosine. A rate counts as stable where the mean of the
                last validation losses is within %s nats a token of the policy's best.""",
                config.budget().tokens(), STABLE);
    }

    @Override
    public Findings run(long seed, int divisor) {
        RunConfig base =
                config.withBudget(config.budget().withTokens(config.budget().tokens() / divisor));
        Corpus corpus = base.text().load(base.model().context());
        Map<Bf16Policy, List<double[]>> runs = new EnumMap<>(Bf16Policy.class);
        for (long s = seed; s < seed + SEEDS; s++) {
            for (Bf16Policy policy : POLICIES) {
                runs.computeIfAbsent(policy, p -> new ArrayList<>())
                        .add(losses(base.withPolicy(policy.toString()).withSeed(s), corpus));
            }
        }
        Map<Bf16Policy, Measurement> losses = new EnumMap<>(Bf16Policy.class);
        runs.forEach((policy, run) -> losses.put(policy, new Measurement(rates, run)));

        TextTable table = new TextTable().row("rate", "bf16-sr", "bf16-o2", "bf16-o1", "sr less o2", "sr less o1");
        for (int i = 0; i < rates.length; i++) {
            table.row(
                    rates[i],
                    losses.get(Bf16Policy.SR).at(i),
                    losses.get(Bf16Policy.O2).at(i),
                    losses.get(Bf16Policy.O1).at(i),
                    difference(runs, i, Bf16Policy.O2, i),
                    difference(runs, i, Bf16Policy.O1, i));
        }
        List<Verdict> verdicts = new ArrayList<>();
        double stable = largestStable(losses.get(Bf16Policy.SR));
        int best = best(losses.get(Bf16Policy.SR));
        for (Bf16Policy other : List.of(Bf16Policy.O2, Bf16Policy.O1)) {
            double othersStable = largestStable(losses.get(other));
            int othersBest = best(losses.get(other));
            verdicts.add(new Verdict(
                    "bf16-sr is stable at higher rates than " + other,
                    "largest stable rate " + stable + " against " + othersStable,
                    stable > othersStable));
            Estimate gain = difference(runs, best, other, othersBest);
            verdicts.add(new Verdict(
                    "bf16-sr reaches a better loss than " + other,
                    losses.get(Bf16Policy.SR).at(best) + " at rate " + rates[best] + " against "
                            + losses.get(other).at(othersBest) + " at rate " + rates[othersBest] + ", seed by seed "
                            + gain,
                    gain.high() < 0));
        }
        List<Series> series = POLICIES.stream()
                .map(policy -> losses.get(policy).series(policy.toString()))
                .toList();
        return new Findings(
                verdicts,
                List.of(new Section(
                        "Last validation loss, nats a token (mean and 95% interval over " + SEEDS + " seeds)", table)),
                List.of(new Chart(
                        "Validation loss by learning rate", "learning rate", "nats a token", true, false, series)));
    }

    private double[] losses(RunConfig run, Corpus corpus) {
        double[] losses = new double[rates.length];
        for (int i = 0; i < rates.length; i++) {
            losses[i] = loss(run.withLearningRate(rates[i]), corpus);
            System.err.println(Texts.format(
                    "%s, seed %d, rate %s: validation loss %.4f", run.policy(), run.seed(), rates[i], losses[i]));
        }
        return losses;
    }

    /** The last validation loss, NaN where training broke off. */
    private static double loss(RunConfig run, Corpus corpus) {
        List<MetricsRow> rows = new ArrayList<>();
        ComputationGraph network = GptNetwork.create(run);
        try {
            new Trainer(run, corpus, network, rows::add).run(TrainingState.START, () -> false);
            return rows.get(rows.size() - 1).valLoss();
        } catch (NonFiniteGradientException e) {
            return Double.NaN;
        } finally {
            network.close();
        }
    }

    /** What bf16-sr loses at {@code rate} more than {@code other} at {@code othersRate}, seed by seed. */
    private static Estimate difference(
            Map<Bf16Policy, List<double[]>> runs, int rate, Bf16Policy other, int othersRate) {
        return Estimate.of(IntStream.range(0, SEEDS)
                .mapToDouble(s ->
                        runs.get(Bf16Policy.SR).get(s)[rate] - runs.get(other).get(s)[othersRate])
                .toArray());
    }

    private int best(Measurement losses) {
        int best = 0;
        for (int i = 1; i < rates.length; i++) {
            best = losses.at(i).mean() < losses.at(best).mean() ? i : best;
        }
        return best;
    }

    private double largestStable(Measurement losses) {
        double bound = losses.at(best(losses)).mean() + STABLE;
        int largest = best(losses);
        while (largest + 1 < rates.length && losses.at(largest + 1).mean() <= bound) {
            largest++;
        }
        return rates[largest];
    }
}
