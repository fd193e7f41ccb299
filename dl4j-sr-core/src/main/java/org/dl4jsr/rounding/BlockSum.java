package org.dl4jsr.rounding;

/**
 * A sum in double whose order is fixed, so that it has the same bits at any thread count and vector width. The values
 * are cut into blocks of {@link #BLOCK}; in a block, lane l of {@link #LANES} adds the values l, l + 16, l + 32, ... in
 * this order, and the lanes are added in a tree (lane i and i + 8, then i + 4, i + 2, i + 1). Whoever sums adds the
 * blocks' sums in their order.
 */
public final class BlockSum {

    /** Values of a block. */
    public static final int BLOCK = 4096;
    /** Sums of a block that go on at the same time. */
    public static final int LANES = 16;

    private final double[] lanes = new double[LANES];

    /** Adds the value at {@code index} of the block; indices rise from 0. */
    public void add(int index, double value) {
        lanes[index % LANES] += value;
    }

    /** The sum of the block; call it once. */
    public double sum() {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int lane = 0; lane < half; lane++) {
                lanes[lane] += lanes[lane + half];
            }
        }
        return lanes[0];
    }
}
