package org.dl4jsr.updater;

import java.util.Map;
import java.util.Objects;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.rounding.WeightWrite;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Any updater of DL4J, for BF16 networks with stochastic rounding:
 * {@code .updater(new StochasticallyRounded(new Nesterovs(0.1, 0.9)))}. The updater runs in FP32 on its BF16 gradient
 * and state. Its update, its new state and the new weights are rounded stochastically: a sum of squares or a slow moving
 * average in BF16 stalls as a weight does, and l2 beside a large gradient would be lost from the update. For Adam use
 * {@link SrAdam}, which does it in one pass. In networks of other types the updater runs as ever.
 *
 * <p>Weight decay, l1 and l2 stay DL4J's; they are added in FP32 here. Unlike under {@link SrAdam}, a gradient that is
 * not finite reaches the weights, as ever.
 */
public final class StochasticallyRounded implements IUpdater {

    private static final long serialVersionUID = 1;

    private final IUpdater updater;
    private final long seed;
    private final WeightWrite weightWrite;

    /** Seed 0. */
    public StochasticallyRounded(IUpdater updater) {
        this(updater, 0);
    }

    /**
     * @param updater any but fused ones and {@link StochasticallyRounded} itself
     * @param seed key of the random bits
     */
    public StochasticallyRounded(IUpdater updater, long seed) {
        this(updater, seed, WeightWrite.STOCHASTIC);
    }

    /**
     * @param updater any but fused ones and {@link StochasticallyRounded} itself
     * @param seed key of the random bits
     * @param weightWrite STOCHASTIC, or NEAREST as a baseline that shows what stochastic rounding is for: weights and
     *        state are rounded to nearest, and only the statistics of layers stochastically
     */
    public StochasticallyRounded(
            @JsonProperty("updater") IUpdater updater,
            @JsonProperty("seed") long seed,
            @JsonProperty("weightWrite") WeightWrite weightWrite) {
        Objects.requireNonNull(updater, "updater is null");
        if (weightWrite != WeightWrite.STOCHASTIC && weightWrite != WeightWrite.NEAREST) {
            throw new IllegalArgumentException("StochasticallyRounded.weightWrite is " + weightWrite
                    + ", expected STOCHASTIC or NEAREST: there is nothing else for updaters that are not fused");
        }
        if (updater instanceof FusedUpdater || updater instanceof StochasticallyRounded) {
            throw new IllegalArgumentException(updater + " rounds stochastically already: use it as it is");
        }
        this.updater = updater;
        this.seed = seed;
        this.weightWrite = weightWrite;
    }

    /** The updater that computes the update. */
    public IUpdater getUpdater() {
        return updater;
    }

    /** Key of the random bits. */
    public long getSeed() {
        return seed;
    }

    /** How weights and state reach BF16. */
    public WeightWrite getWeightWrite() {
        return weightWrite;
    }

    @Override
    public double getLearningRate(int iteration, int epoch) {
        return updater.getLearningRate(iteration, epoch);
    }

    @Override
    public boolean hasLearningRate() {
        return updater.hasLearningRate();
    }

    @Override
    public void setLrAndSchedule(double lr, ISchedule lrSchedule) {
        updater.setLrAndSchedule(lr, lrSchedule);
    }

    @Override
    public long stateSize(long numParams) {
        return updater.stateSize(numParams);
    }

    @Override
    public GradientUpdater<StochasticallyRounded> instantiate(INDArray viewArray, boolean initializeViewArray) {
        Bf16Executioner.requiredBy("StochasticallyRounded");
        if (initializeViewArray) {
            updater.instantiate(viewArray, true);
        }
        return new StochasticallyRoundedUpdater(this, viewArray);
    }

    @Override
    public GradientUpdater<StochasticallyRounded> instantiate(
            Map<String, INDArray> updaterState, boolean initializeStateArrays) {
        throw FusedUpdater.noSameDiff("StochasticallyRounded");
    }

    @Override
    public StochasticallyRounded clone() {
        return new StochasticallyRounded(updater.clone(), seed, weightWrite);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StochasticallyRounded that
                && updater.equals(that.updater)
                && seed == that.seed
                && weightWrite == that.weightWrite;
    }

    @Override
    public int hashCode() {
        return Objects.hash(updater, seed, weightWrite);
    }

    @Override
    public String toString() {
        return "StochasticallyRounded(updater=" + updater + ", seed=" + seed + ", weightWrite=" + weightWrite + ")";
    }
}
