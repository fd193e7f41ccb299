package org.dl4jsr.examples.run;

/**
 * Where a run is, beside the network.
 *
 * @param step steps done
 * @param tokens tokens trained on
 * @param skipped steps skipped because of a gradient that was not finite
 * @param skippedInARow of these, the ones since the last step that was not skipped
 * @param row what goes into the next row of metrics
 */
public record TrainingState(long step, long tokens, long skipped, int skippedInARow, RowSoFar row) {

    public static final TrainingState START = new TrainingState(0, 0, 0, 0, new RowSoFar(0, 0, 0, 0));

    /**
     * What is known of the next row.
     *
     * @param start steps done at the row before
     * @param losses sum of the losses since
     * @param nanoseconds of the steps since
     * @param stagnation as of the first step since
     */
    public record RowSoFar(long start, double losses, long nanoseconds, double stagnation) {}
}
