package org.dl4jsr.updater;

import org.dl4jsr.kernel.StepStatistics;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What happens to one range of the flattened parameters when DL4J subtracts the gradient. */
sealed interface RangeUpdate permits FusedStep, Subtraction {

    /** The range of the gradient, or of the update that has taken its place. */
    INDArray values();

    /** First element in the gradient's buffer. */
    default long start() {
        return values().offset();
    }

    default long end() {
        return start() + values().length();
    }

    default String range() {
        return start() + ".." + (end() - 1);
    }

    /**
     * This rank's part of a range that ranks share.
     *
     * @param part of the values
     * @param start its first parameter
     * @param state the rank's updater state
     */
    RangeUpdate part(INDArray part, long start, ShardedState state);

    /** Key of the random bits. */
    long seed();

    /** The settings of a fused step, whose values are the gradient; null where they are an update already. */
    default FusedUpdater fused() {
        return null;
    }

    /**
     * The state that the update needs; null for none.
     *
     * @throws IllegalStateException if there is another one
     */
    default UpdaterState state() {
        return null;
    }

    /**
     * Writes the parameters from {@code start} to {@code end} of the flattened ones, which lie in this range.
     *
     * @param clipScale factor of the gradients
     * @param random where the random bits come from
     * @param statistics is added to, or null
     */
    void write(FlatArrays arrays, long start, long end, double clipScale, RandomKey random, StepStatistics statistics);

    /** Bytes read and written for a parameter of {@code width} bytes. */
    default long bytes(int width) {
        return 3L * width;
    }

    /** Marks BF16 state to be rounded stochastically where replicas are averaged. */
    default void markForAverages(RandomKey random) {}
}
