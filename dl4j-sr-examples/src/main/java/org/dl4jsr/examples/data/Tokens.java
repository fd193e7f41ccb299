package org.dl4jsr.examples.data;

/** Token ids in a row, in memory or on a disk. */
public interface Tokens {

    long length();

    /** Fills {@code ids} with the tokens from {@code start} on; all of them must be there. */
    void read(long start, int[] ids);
}
