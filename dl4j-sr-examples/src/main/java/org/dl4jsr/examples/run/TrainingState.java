package org.dl4jsr.examples.run;

/**
 * What a checkpoint holds beside the network.
 *
 * @param step steps done
 * @param tokens tokens trained on
 * @param skipped steps skipped because of a gradient that was not finite
 * @param skippedInARow of these, the ones since the last step that was not skipped
 */
public record TrainingState(long step, long tokens, long skipped, int skippedInARow) {

    static final TrainingState START = new TrainingState(0, 0, 0, 0);
}
