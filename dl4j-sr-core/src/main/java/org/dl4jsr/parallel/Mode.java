package org.dl4jsr.parallel;

/** What each rank keeps. All end with the same bits. */
public enum Mode {

    /** Weights, gradient and the whole updater state: works with any updater. */
    REPLICATED,

    /**
     * Weights, gradient and 1/N of the updater state (ZeRO-1): a rank updates its own slice of the weights and sends it to
     * the others. Every trained parameter needs a {@link org.dl4jsr.updater.FusedUpdater} such as SrAdam, and no layer
     * may have gradient normalization.
     */
    SHARDED
}
