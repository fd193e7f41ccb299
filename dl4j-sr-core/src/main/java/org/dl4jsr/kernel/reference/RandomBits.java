package org.dl4jsr.kernel.reference;

import org.dl4jsr.rounding.Philox4x32;
import org.dl4jsr.rounding.StochasticRounding;

/** {@link StochasticRounding#randomBits} at rising indices: one Philox block holds four of them. */
final class RandomBits {

    private final long seed;
    private final int step;
    private final int stream;
    private long block = -1;
    private int[] words;

    RandomBits(long seed, int step, int stream) {
        this.seed = seed;
        this.step = step;
        this.stream = stream;
    }

    /** The word at {@code index} of the stream. */
    int get(long index) {
        if (index >>> 2 != block) {
            block = index >>> 2;
            words = Philox4x32.block((int) block, (int) (block >>> 32), step, stream, seed);
        }
        return words[(int) (index & 3)];
    }
}
