package org.dl4jsr.parallel;

import java.io.Serializable;

/**
 * What every rank does. It may be sent to other machines: it must not hold what is not serializable, such as a network.
 */
@FunctionalInterface
public interface RankProgram extends Serializable {

    /** Runs on every rank at the same time. */
    void run(Rank rank) throws Exception;
}
