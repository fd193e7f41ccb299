package org.dl4jsr.op;

import java.util.EnumMap;
import java.util.Map;

/** Adds up, by part of the step, what a device has done. A GPU is waited for before and after each call that is counted. */
public final class StepTimes {

    /**
     * The sums of one part.
     *
     * @param calls of kernels
     * @param nanoseconds in them
     * @param operations floating-point operations of matrix products
     * @param bytes of the arrays read and written, each once a call
     */
    public record Sums(long calls, long nanoseconds, long operations, long bytes) {

        private static final Sums NONE = new Sums(0, 0, 0, 0);

        private Sums plus(Sums other) {
            return new Sums(
                    calls + other.calls,
                    nanoseconds + other.nanoseconds,
                    operations + other.operations,
                    bytes + other.bytes);
        }
    }

    private final Map<StepPart, Sums> sums = new EnumMap<>(StepPart.class);

    /** Counts one call. */
    public synchronized void add(StepPart part, long nanoseconds, long operations, long bytes) {
        sums.merge(part, new Sums(1, nanoseconds, operations, bytes), Sums::plus);
    }

    /** What was counted for {@code part}. */
    public synchronized Sums of(StepPart part) {
        return sums.getOrDefault(part, Sums.NONE);
    }
}
