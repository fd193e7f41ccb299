package org.dl4jsr.examples.run;

import org.dl4jsr.examples.report.Display;

/** What the first rank of a run tells the process that shows it, as a line of words: a step, a text, a checkpoint. */
final class RankNote {

    static final String CHECKPOINT = "checkpoint";

    private static final String STEP = "step";
    private static final String LINE = "line";

    private RankNote() {}

    /** As {@link Display#step}; of the nanoseconds, so many were spent with the other ranks. */
    static String step(long step, double loss, double learningRate, long nanoseconds, long communication) {
        return String.join(" ", STEP, "" + step, "" + loss, "" + learningRate, "" + nanoseconds, "" + communication);
    }

    static String line(String text) {
        return LINE + " " + text;
    }

    /** Shows a step or a text; returns the nanoseconds that the step took, and those of them with the other ranks. */
    static long[] show(String note, Display display) {
        String[] words = note.split(" ", 2);
        if (words[0].equals(LINE)) {
            display.line(words[1]);
            return new long[2];
        }
        String[] numbers = words[1].split(" ", -1);
        long nanoseconds = Long.parseLong(numbers[3]);
        display.step(
                Long.parseLong(numbers[0]),
                Double.parseDouble(numbers[1]),
                Double.parseDouble(numbers[2]),
                nanoseconds);
        return new long[] {nanoseconds, Long.parseLong(numbers[4])};
    }
}
