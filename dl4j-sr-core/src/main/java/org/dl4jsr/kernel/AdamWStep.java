package org.dl4jsr.kernel;

import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;

/**
 * The scalars of one AdamW step; everything in FP32, each operation rounded once, no fused multiply-add:
 *
 * <pre>
 * g  = gradient * gradientScale
 * m  = beta1 * m + (1 - beta1) * g
 * v  = beta2 * v + (1 - beta2) * (g * g)
 * u  = (m * biasCorrection1) / (sqrt(v * biasCorrection2) + epsilon) + weightDecay * p
 * p' = p - learningRate * u
 * </pre>
 *
 * @param learningRate step size
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root
 * @param weightDecay decoupled decay (Loshchilov and Hutter, arXiv 1711.05101), times the learning rate
 * @param gradientScale factor on the gradient; global-norm clipping lives here
 * @param biasCorrection1 1 / (1 - beta1^t), computed in double
 * @param biasCorrection2 1 / (1 - beta2^t), computed in double
 * @param weightWrite how p' reaches BF16
 * @param stateRounding how v reaches BF16
 * @param seed key of the random bits
 * @param step t - 1, the counter's third word
 */
public record AdamWStep(
        float learningRate,
        float beta1,
        float beta2,
        float epsilon,
        float weightDecay,
        float gradientScale,
        float biasCorrection1,
        float biasCorrection2,
        WeightWrite weightWrite,
        StateRounding stateRounding,
        long seed,
        int step) {

    /** The step number {@code step} (from 0), with bias corrections for t = step + 1. */
    public static AdamWStep of(
            double learningRate,
            double beta1,
            double beta2,
            double epsilon,
            double weightDecay,
            double gradientScale,
            WeightWrite weightWrite,
            StateRounding stateRounding,
            long seed,
            int step) {
        return new AdamWStep(
                (float) learningRate,
                (float) beta1,
                (float) beta2,
                (float) epsilon,
                (float) weightDecay,
                (float) gradientScale,
                (float) (1 / (1 - Math.pow(beta1, step + 1.0))),
                (float) (1 / (1 - Math.pow(beta2, step + 1.0))),
                weightWrite,
                stateRounding,
                seed,
                step);
    }
}
