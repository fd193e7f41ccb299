package org.dl4jsr.updater;

import java.util.List;
import org.dl4jsr.kernel.StepStatistics;

/**
 * What one iteration of fused updaters and {@link StochasticallyRounded} did to a network's weights.
 *
 * @param iteration DL4J's iteration, from 0
 * @param gradientNorm norm of all gradients that fused updaters own, before clipping; not finite if the step was
 *     skipped, NaN without a fused updater
 * @param clipScale factor that clipping put on the gradient; 0 if the step was skipped, NaN without a fused updater
 * @param skippedSteps steps skipped so far
 * @param total all layers together; no weights if the step was skipped
 * @param layers each layer that they train, in the order of the parameters; empty if the step was skipped
 */
public record RoundingStats(
        int iteration, double gradientNorm, double clipScale, long skippedSteps, Layer total, List<Layer> layers) {

    /**
     * One layer; shares and ratios are NaN where there is nothing to divide by.
     *
     * @param name the layer's name
     * @param weights number of weights
     * @param lost share of weights whose non-zero update round-to-nearest would have lost: it is under half an ulp
     * @param moved share of weights whose stored value changed
     * @param updateRatio root mean square of the updates over that of the weights
     * @param gradientNorm before clipping; NaN where {@link StochasticallyRounded} has a part in it
     */
    public record Layer(String name, long weights, double lost, double moved, double updateRatio, double gradientNorm) {

        static Layer of(String name, StepStatistics statistics, double clipScale) {
            double weights = statistics.weights;
            return new Layer(
                    name,
                    statistics.weights,
                    statistics.stagnant / weights,
                    statistics.moved / weights,
                    Math.sqrt(statistics.squaredUpdate / statistics.squaredWeight),
                    Math.sqrt(statistics.squaredGradient) / clipScale);
        }
    }
}
