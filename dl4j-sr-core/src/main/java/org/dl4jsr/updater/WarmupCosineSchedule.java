package org.dl4jsr.updater;

import java.util.Objects;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The usual learning rate of language models: a linear warm-up from peak / warmupSteps to peak, half a cosine down to
 * the minimum (Loshchilov and Hutter, arXiv 1608.03983, without restarts), then the minimum. Epochs do not matter.
 */
public final class WarmupCosineSchedule implements ISchedule {

    private static final long serialVersionUID = 1;

    private final int warmupSteps;
    private final int totalSteps;
    private final double peak;
    private final double minimum;

    /**
     * @param warmupSteps iterations until the peak, 0 for none
     * @param totalSteps iterations until the minimum, more than warmupSteps
     * @param peak highest value, above 0
     * @param minimum last value, 0 to peak
     */
    public WarmupCosineSchedule(
            @JsonProperty("warmupSteps") int warmupSteps,
            @JsonProperty("totalSteps") int totalSteps,
            @JsonProperty("peak") double peak,
            @JsonProperty("minimum") double minimum) {
        require(warmupSteps >= 0, "warmupSteps", warmupSteps, "0 or more");
        require(totalSteps > warmupSteps, "totalSteps", totalSteps, "more than warmupSteps, " + warmupSteps);
        require(peak > 0 && peak <= Double.MAX_VALUE, "peak", peak, "above 0 and finite");
        require(minimum >= 0 && minimum <= peak, "minimum", minimum, "0 to peak, " + peak);
        this.warmupSteps = warmupSteps;
        this.totalSteps = totalSteps;
        this.peak = peak;
        this.minimum = minimum;
    }

    private static void require(boolean valid, String name, Object value, String range) {
        if (!valid) {
            throw new IllegalArgumentException("WarmupCosineSchedule." + name + " is " + value + ", expected " + range);
        }
    }

    public int getWarmupSteps() {
        return warmupSteps;
    }

    public int getTotalSteps() {
        return totalSteps;
    }

    public double getPeak() {
        return peak;
    }

    public double getMinimum() {
        return minimum;
    }

    @Override
    public double valueAt(int iteration, int epoch) {
        if (iteration < warmupSteps) {
            return peak * (iteration + 1) / warmupSteps;
        }
        if (iteration >= totalSteps) {
            return minimum;
        }
        double progress = (iteration - warmupSteps) / (double) (totalSteps - warmupSteps);
        return minimum + (peak - minimum) * 0.5 * (1 + Math.cos(Math.PI * progress));
    }

    @Override
    public ISchedule clone() {
        return new WarmupCosineSchedule(warmupSteps, totalSteps, peak, minimum);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof WarmupCosineSchedule that
                && warmupSteps == that.warmupSteps
                && totalSteps == that.totalSteps
                && peak == that.peak
                && minimum == that.minimum;
    }

    @Override
    public int hashCode() {
        return Objects.hash(warmupSteps, totalSteps, peak, minimum);
    }

    @Override
    public String toString() {
        return "WarmupCosineSchedule(warmupSteps=" + warmupSteps + ", totalSteps=" + totalSteps + ", peak=" + peak
                + ", minimum=" + minimum + ")";
    }
}
