package org.dl4jsr.updater;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.deeplearning4j.optimize.solvers.BaseOptimizer;
import org.dl4jsr.kernel.StepStatistics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows, every so many iterations, why stochastic rounding is needed: by layer the share of weights whose update
 * round-to-nearest would have lost, the share that moved, and how large the updates are beside the weights. A learning
 * rate is too low for round-to-nearest where most updates are lost, and too low for BF16 at all where hardly any weight
 * moves. For MultiLayerNetwork and ComputationGraph.
 */
public final class RoundingStatsListener extends BaseTrainingListener {

    private static final Logger LOG = LoggerFactory.getLogger(RoundingStatsListener.class);

    private final int every;
    private final Consumer<RoundingStats> consumer;

    /** Logs at level info in the iterations that {@code every} divides. */
    public RoundingStatsListener(int every) {
        this(every, RoundingStatsListener::log);
    }

    /** Hands the numbers to {@code consumer} in the iterations that {@code every} divides. */
    public RoundingStatsListener(int every, Consumer<RoundingStats> consumer) {
        if (every < 1) {
            throw new IllegalArgumentException("every is " + every + ", expected 1 or more iterations");
        }
        this.every = every;
        this.consumer = consumer;
    }

    @Override
    public void onGradientCalculation(Model model) {
        if (BaseOptimizer.getIterationCount(model) % every == 0) {
            List<Span> layers = layers(model);
            var boundaries = new long[layers.size() + 1];
            for (int i = 0; i < layers.size(); i++) {
                boundaries[i + 1] = layers.get(i).end;
            }
            UpdaterStatus.of(model).request(boundaries);
        }
    }

    @Override
    public void iterationDone(Model model, int iteration, int epoch) {
        if (iteration % every != 0) {
            return;
        }
        UpdaterStatus status = UpdaterStatus.of(model);
        List<StepStatistics> statistics = status.statistics();
        var total = new StepStatistics();
        var layers = new ArrayList<RoundingStats.Layer>();
        if (statistics != null) {
            List<Span> spans = layers(model);
            for (int i = 0; i < spans.size(); i++) {
                StepStatistics layer = statistics.get(i);
                total.add(layer);
                if (layer.weights > 0) {
                    layers.add(RoundingStats.Layer.of(spans.get(i).layer, layer, status.lastClipScale()));
                }
            }
        }
        consumer.accept(new RoundingStats(
                iteration,
                status.lastGradientNorm(),
                status.lastClipScale(),
                status.skippedSteps(),
                RoundingStats.Layer.of("all", total, status.lastClipScale()),
                layers));
    }

    /** A layer with parameters and the element behind its last. */
    private record Span(String layer, long end) {}

    private static List<Span> layers(Model model) {
        var spans = new ArrayList<Span>();
        for (ParameterRange range : ParameterRange.of(model)) {
            int last = spans.size() - 1;
            if (last >= 0 && spans.get(last).layer.equals(range.layer())) {
                spans.remove(last);
            }
            spans.add(new Span(range.layer(), range.end()));
        }
        return spans;
    }

    private static void log(RoundingStats stats) {
        LOG.info(
                "iteration {}: gradient norm {}, clip scale {}, {} steps skipped",
                stats.iteration(),
                number(stats.gradientNorm()),
                number(stats.clipScale()),
                stats.skippedSteps());
        for (RoundingStats.Layer layer : stats.layers()) {
            log(layer);
        }
        log(stats.total());
    }

    private static void log(RoundingStats.Layer layer) {
        LOG.info(
                "  {}: nearest would lose {} of {} updates, {} moved, update/weight {}, gradient norm {}",
                layer.name(),
                percent(layer.lost()),
                layer.weights(),
                percent(layer.moved()),
                number(layer.updateRatio()),
                number(layer.gradientNorm()));
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f%%", 100 * share);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.3g", value);
    }
}
