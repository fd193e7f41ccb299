package org.dl4jsr.parallel;

import java.util.Arrays;

/**
 * Which rank owns which elements of a flat array: contiguous ranges, one a rank, in order. They are cut at whole blocks,
 * so that sums over blocks have the same bits however many ranks there are.
 *
 * @param bounds rank r owns the elements from {@code bounds[r]} to {@code bounds[r + 1]}
 */
record Slices(long[] bounds) {

    /**
     * Slices of about equal size.
     *
     * @param length elements of the array
     * @param block cut at multiples of this alone
     */
    static Slices of(long length, int ranks, int block) {
        long blocks = (length + block - 1) / block;
        long[] bounds = new long[ranks + 1];
        for (int rank = 0; rank <= ranks; rank++) {
            bounds[rank] = Math.min(length, blocks * rank / ranks * block);
        }
        return new Slices(bounds);
    }

    long start(int rank) {
        return bounds[rank];
    }

    long end(int rank) {
        return bounds[rank + 1];
    }

    long length(int rank) {
        return end(rank) - start(rank);
    }

    /** Of the longest slice. */
    long longest() {
        long longest = 0;
        for (int rank = 0; rank < ranks(); rank++) {
            longest = Math.max(longest, length(rank));
        }
        return longest;
    }

    int ranks() {
        return bounds.length - 1;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Slices that && Arrays.equals(bounds, that.bounds);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bounds);
    }

    @Override
    public String toString() {
        return "Slices" + Arrays.toString(bounds);
    }
}
