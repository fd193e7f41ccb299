package org.dl4jsr.policy;

import java.util.Arrays;
import java.util.List;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.op.Device;
import org.dl4jsr.op.StepPart;
import org.dl4jsr.op.StepTimes;

/**
 * Where the time of a training step goes, as far as dl4j-sr's own kernels spend it. A GPU is waited for after each, so
 * that the step takes longer than it does otherwise.
 *
 * @param nanoseconds of the whole step
 * @param parts those that had calls, in the order of {@link StepPart}
 */
public record StepProfile(long nanoseconds, List<Part> parts) {

    /**
     * One part of the step.
     *
     * @param name such as "attention forward"
     * @param calls of kernels
     * @param nanoseconds in them
     * @param operations floating-point operations of matrix products
     * @param bytes of the arrays read and written, each once a call
     */
    public record Part(String name, long calls, long nanoseconds, long operations, long bytes) {}

    /**
     * Runs {@code step} and says where its time went. Others that train in this process meanwhile are counted too.
     *
     * @throws IllegalStateException if dl4j-sr's backend is not in force
     */
    public static StepProfile of(Runnable step) {
        Device device = Bf16Executioner.requiredBy("StepProfile");
        var times = new StepTimes();
        device.setTimes(times);
        long start = System.nanoTime();
        try {
            step.run();
        } finally {
            device.setTimes(null);
        }
        long nanoseconds = System.nanoTime() - start;
        return new StepProfile(
                nanoseconds,
                Arrays.stream(StepPart.values())
                        .filter(part -> times.of(part).calls() > 0)
                        .map(part -> part(part, times.of(part)))
                        .toList());
    }

    private static Part part(StepPart part, StepTimes.Sums sums) {
        return new Part(part.toString(), sums.calls(), sums.nanoseconds(), sums.operations(), sums.bytes());
    }
}
