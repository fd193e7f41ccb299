package org.dl4jsr.parallel;

import org.dl4jsr.rounding.BlockSum;

/**
 * What data-parallel training of a network costs one rank, on average, by arithmetic alone.
 *
 * @param weights bytes
 * @param gradients bytes
 * @param state bytes of updater state
 * @param sums bytes of the sums of its slice of the gradients
 * @param sent bytes that it sends in a step, and as many that it receives; without headers (64 bytes a MiB)
 */
public record RankCost(long weights, long gradients, long state, long sums, long sent) {

    /**
     * The cost for one of {@code ranks} ranks.
     *
     * @param parameters of the network
     * @param width bytes of a weight and of its gradient
     * @param stateWidth bytes of updater state for a parameter
     * @param parts micro-batches of a step
     */
    public static RankCost of(Mode mode, long parameters, int width, int stateWidth, int ranks, int parts) {
        long state = stateWidth * parameters / (mode == Mode.SHARDED ? ranks : 1);
        // each micro-batch's gradient to its owners, then the mean, or the new weights, from their owner
        double sent = ((double) parts / ranks + 1) * width * parameters * (ranks - 1) / ranks;
        if (mode == Mode.SHARDED) {
            sent += (double) Double.BYTES * parameters / BlockSum.BLOCK * (ranks - 1) / ranks;
        }
        return new RankCost(
                width * parameters, width * parameters, state, Float.BYTES * parameters / ranks, Math.round(sent));
    }

    /** Bytes of memory for all of it. */
    public long memory() {
        return weights + gradients + state + sums;
    }
}
