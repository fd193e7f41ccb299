package org.dl4jsr.spark;

import java.io.Serializable;

/**
 * How a rank's part in an attempt has ended.
 *
 * @param rank from 0
 * @param kind of the end
 * @param message what went wrong; empty where nothing did
 */
record Outcome(int rank, Kind kind, String message) implements Serializable {

    /** How it can end. */
    enum Kind {
        /** The program has returned. */
        DONE,
        /** Another rank was lost, too slow or not to be understood: another attempt may go well. */
        LOST_OTHERS,
        /** The program has failed, and would again. */
        FAILED
    }
}
