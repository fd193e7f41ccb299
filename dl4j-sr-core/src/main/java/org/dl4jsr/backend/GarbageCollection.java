package org.dl4jsr.backend;

import java.util.function.LongSupplier;

/** What frees the memory of arrays that nobody has any more; Java's heap may be far from full when that is all taken. */
public final class GarbageCollection {

    private static final int TRIES = 5;
    private static final int MILLISECONDS_TO_COLLECT = 50;

    private GarbageCollection() {}

    /**
     * The address that {@code allocation} returns, tried again after a collection.
     *
     * @throws OutOfMemoryError of the last try
     */
    public static long allocate(LongSupplier allocation) {
        for (int i = 1; ; i++) {
            try {
                return allocation.getAsLong();
            } catch (OutOfMemoryError e) {
                if (i == TRIES) {
                    throw e;
                }
            }
            System.gc();
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(MILLISECONDS_TO_COLLECT);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
