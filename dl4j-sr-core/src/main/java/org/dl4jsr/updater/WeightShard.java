package org.dl4jsr.updater;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Which part of a network's weights this rank writes, and how ranks bring together what they have: between them they
 * write the whole (ZeRO-1; Rajbhandari et al., arXiv 1910.02054). All ranks call the same methods in the same order.
 */
public interface WeightShard {

    /** This rank, from 0. */
    int rank();

    /** Rank r writes the flattened parameters from {@code bounds()[r]} to {@code bounds()[r + 1]}. */
    long[] bounds();

    /**
     * Brings each rank's part of an array to all others.
     *
     * @param array flat and dense
     * @param bounds rank r has the elements from {@code bounds[r]} to {@code bounds[r + 1]}
     */
    void gather(INDArray array, long[] bounds);

    /** Tells all ranks some numbers; returns those of each rank, [ranks, values]. */
    long[][] gather(long... values);
}
