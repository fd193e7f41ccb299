package org.dl4jsr.kernel;

import org.dl4jsr.rounding.WeightWrite;

/**
 * What one optimizer's step did to its weights, summed over the range; several ranges add up. Under
 * {@link WeightWrite#MASTER} the weight is the master weight.
 */
public final class StepStatistics {

    /** Number of weights seen. */
    public long weights;
    /** Weights with a non-zero update that round-to-nearest would have lost: nearest(p') == p. */
    public long stagnant;
    /** Weights whose stored value changed. */
    public long moved;
    /** Sum of (learningRate * u)^2. */
    public double squaredUpdate;
    /** Sum of p^2 before the step. */
    public double squaredWeight;
    /** Sum of (gradient * gradientScale)^2. */
    public double squaredGradient;

    /** Adds {@code other} to this. */
    public void add(StepStatistics other) {
        weights += other.weights;
        stagnant += other.stagnant;
        moved += other.moved;
        squaredUpdate += other.squaredUpdate;
        squaredWeight += other.squaredWeight;
        squaredGradient += other.squaredGradient;
    }
}
