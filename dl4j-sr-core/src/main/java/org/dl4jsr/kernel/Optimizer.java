package org.dl4jsr.kernel;

/**
 * The formula of a fused optimizer with its hyper-parameters: how a gradient moves the moments of a weight, and which
 * way the weight then goes. All in FP32, each operation rounded once, no fused multiply-add. What is around the formula
 * (loading, weight decay, rounding, statistics) is {@link OptimizerStep}'s and the same for all optimizers.
 */
public interface Optimizer {

    /** The most {@link #moments} of an optimizer; the random bits of their rounding are laid out for so many. */
    int MOST_MOMENTS = 2;

    /** What the native kernels call it. */
    String name();

    /** How many moments it keeps for each weight, 1 or 2. */
    int moments();

    /** The hyper-parameters, in the order of the native structure of this name. */
    float[] scalars();

    /**
     * The direction of one weight, which is subtracted from it times the learning rate.
     *
     * @param gradient after scaling
     * @param moments of the weight, moved by the gradient
     */
    float direction(float gradient, float[] moments);
}
