package org.dl4jsr.kernel.reference;

import org.dl4jsr.rounding.Philox4x32;
import org.dl4jsr.rounding.StochasticRounding;

/** {@link StochasticRounding#randomBits} for rising elements: one Philox block serves four of them. */
final class RandomBits {

    private final long seed;
    private final int step;
    private long block = -1;
    private int[] words;

    RandomBits(long seed, int step) {
        this.seed = seed;
        this.step = step;
    }

    /** The 32 random bits of {@code element} in the weight stream. */
    int get(long element) {
        if (element >>> 2 != block) {
            block = element >>> 2;
            words = Philox4x32.block((int) block, (int) (block >>> 32), step, StochasticRounding.WEIGHT_STREAM, seed);
        }
        return words[(int) (element & 3)];
    }
}
