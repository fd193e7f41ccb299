package org.dl4jsr.updater;

/** The elements of random bits that are no weight's: DL4J counts weights in 32 bits. */
final class Elements {

    /** First element for the updater state of {@link StochasticallyRounded}. */
    static final long STATE = 1L << 40;
    /** First element for averages of parameters. */
    static final long PARAMETER_AVERAGE = 2L << 40;
    /** First element for averages of updater state. */
    static final long STATE_AVERAGE = 3L << 40;

    /** First element for gradients with regularization. */
    static final long GRADIENT = 4L << 40;
    /** First element for updates. */
    static final long UPDATE = 5L << 40;

    private Elements() {}
}
