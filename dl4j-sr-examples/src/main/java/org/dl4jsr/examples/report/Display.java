package org.dl4jsr.examples.report;

/** Where a run can be watched. */
public interface Display {

    /** {@code step} steps are done; the last one had this loss and learning rate, and took so many nanoseconds. */
    void step(long step, double loss, double learningRate, long nanoseconds);

    /** Shows a line of its own. */
    void line(String text);
}
