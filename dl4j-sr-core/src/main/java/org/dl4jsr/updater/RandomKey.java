package org.dl4jsr.updater;

import org.dl4jsr.rounding.Hash;

/**
 * What the random bits of one write follow from. They have to differ from those of every write before, else a weight
 * that has not moved never will, and follow from nothing but what is saved with a model. DL4J's iteration number alone
 * will not do: callers repeat it (external errors, {@code ComputationGraph.clone}, {@code setIterationCount}), and a
 * count of our own has no place that DL4J keeps (it splits the updater state by whole multiples of the parameters, and
 * clones share their updaters' settings). So the key of the random bits is a hash of the seed and of the sums of squares
 * of the gradient and of what is written, which have the same bits on every device, and the iteration is the counter.
 *
 * @param iteration DL4J's, from 0
 * @param digest of the gradient and of what is written
 * @param repeats writes before this one with the same iteration and digest: nothing has changed since
 */
record RandomKey(int iteration, long digest, int repeats) {

    /**
     * The key of a write.
     *
     * @param squaredGradient sum of squares of the gradient or update
     * @param squaredValues sum of squares of what is written, before
     * @param last of the write before, or null
     */
    static RandomKey of(int iteration, double squaredGradient, double squaredValues, RandomKey last) {
        long digest =
                Hash.mix(Hash.mix(Double.doubleToLongBits(squaredGradient)) + Double.doubleToLongBits(squaredValues));
        boolean repeated = last != null && last.iteration == iteration && last.digest == digest;
        return new RandomKey(iteration, digest, repeated ? last.repeats + 1 : 0);
    }

    /** The key for an updater's seed. */
    long key(long seed) {
        return Hash.mix(seed + Hash.mix(digest + repeats));
    }
}
