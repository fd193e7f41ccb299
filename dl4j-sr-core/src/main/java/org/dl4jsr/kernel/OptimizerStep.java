package org.dl4jsr.kernel;

import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;

/**
 * One step of a fused optimizer; everything in FP32, each operation rounded once, no fused multiply-add:
 *
 * <pre>
 * g  = gradient * gradientScale
 * u  = optimizer.direction(g, moments) + weightDecay * p
 * p' = p - learningRate * u
 * </pre>
 *
 * @param optimizer the formula
 * @param learningRate step size
 * @param weightDecay decoupled decay (Loshchilov and Hutter, arXiv 1711.05101), times the learning rate
 * @param gradientScale factor on the gradient; global-norm clipping lives here
 * @param weightWrite how p' reaches BF16
 * @param stateRounding how the moments reach BF16
 * @param seed key of the random bits
 * @param step the counter's third word, from 0
 */
public record OptimizerStep(
        Optimizer optimizer,
        float learningRate,
        float weightDecay,
        float gradientScale,
        WeightWrite weightWrite,
        StateRounding stateRounding,
        long seed,
        int step) {

    /** The name of the native kernel that makes this step on weights of {@code type}: OPTIMIZER_WRITE. */
    public String kernel(FloatType type) {
        return optimizer.name() + "_" + (type == FloatType.FLOAT ? "FLOAT" : weightWrite.name());
    }

    /** Whether moments are rounded stochastically where they are BF16. */
    public boolean hasStochasticState() {
        return stateRounding == StateRounding.STOCHASTIC;
    }

    /** All FP32 numbers of the step, as the native kernels take them: those of every step, then the optimizer's. */
    public float[] scalars() {
        float[] own = optimizer.scalars();
        float[] all = new float[3 + own.length];
        all[0] = learningRate;
        all[1] = weightDecay;
        all[2] = gradientScale;
        System.arraycopy(own, 0, all, 3, own.length);
        return all;
    }
}
