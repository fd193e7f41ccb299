package org.dl4jsr.kernel;

/**
 * A sum in double whose order is fixed, so that it has the same bits at any thread count and vector width. The values
 * are cut into blocks of {@link #BLOCK}; in a block, lane l of {@link #LANES} adds the values l, l + 16, l + 32, ... in
 * this order, and the lanes are added in a tree (lane i and i + 8, then i + 4, i + 2, i + 1). Whoever sums adds the
 * blocks' sums in their order.
 */
final class BlockSum {

    static final int BLOCK = 4096;
    private static final int LANES = 16;

    private final double[] lanes = new double[LANES];

    /** Adds the value at {@code index} of the block; indices rise from 0. */
    void add(int index, double value) {
        lanes[index % LANES] += value;
    }

    /** The sum of the block; call it once. */
    double sum() {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int lane = 0; lane < half; lane++) {
                lanes[lane] += lanes[lane + half];
            }
        }
        return lanes[0];
    }
}
