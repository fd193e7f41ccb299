package org.dl4jsr.examples.run;

import org.dl4jsr.parallel.Mode;
import org.dl4jsr.parallel.RankCost;
import org.dl4jsr.policy.Bf16Policy;

/**
 * The memory that a run needs, in bytes, by arithmetic alone; of one rank, where several share it (ZeRO-1).
 *
 * @param weights in the network's type, with the FP32 masters of bf16-o2
 * @param gradients in the network's type
 * @param optimizer Adam's moments and Kahan's compensation
 * @param accumulation the FP32 sums of gradient accumulation
 * @param activations of one pass, forward and backward
 * @param java heap, code and libraries
 */
public record MemoryPlan(long weights, long gradients, long optimizer, long accumulation, long activations, long java) {

    private static final long JAVA = 400L << 20;
    /** Elements a token and unit of width that a block keeps for its backward pass, or needs there. */
    private static final int BLOCK_ELEMENTS = 10;

    private static final int WORKING_ELEMENTS = 27;

    public static MemoryPlan of(RunConfig config) {
        return of(config, 1);
    }

    /** For one of so many ranks, each with its share of the state. */
    public static MemoryPlan of(RunConfig config, int ranks) {
        long parameters = config.model().parameters();
        Bf16Policy policy = config.bf16Policy();
        int element = policy.dataType().width();
        RankCost cost = cost(config, ranks);
        long masters = policy.weightWrite().hasFp32State() ? Float.BYTES * parameters / ranks : 0;
        long accumulation = config.budget().accumulate() > 1 || ranks > 1 ? cost.sums() : 0;
        long rows = (long) config.budget().batch() * config.model().context();
        long activations = rows
                * element
                * ((long) config.model().width()
                                * (BLOCK_ELEMENTS * config.model().layers() + WORKING_ELEMENTS)
                        + 2L * config.model().vocabulary());
        return new MemoryPlan(
                cost.weights() + masters, cost.gradients(), cost.state() - masters, accumulation, activations, JAVA);
    }

    /** What sharing the run costs a rank, whose micro-batches are the passes of a step. */
    public static RankCost cost(RunConfig config, int ranks) {
        Bf16Policy policy = config.bf16Policy();
        int element = policy.dataType().width();
        return RankCost.of(
                Mode.SHARDED,
                config.model().parameters(),
                element,
                policy.modelStateBytes() - 2 * element,
                ranks,
                config.budget().accumulate());
    }

    /** Length of DL4J's updater state array: moments, and compensation or masters, in the network's type. */
    static long updaterElements(RunConfig config) {
        Bf16Policy policy = config.bf16Policy();
        int element = policy.dataType().width();
        return (policy.modelStateBytes() - 2 * element)
                / element
                * config.model().parameters();
    }

    /** Whether DL4J can hold the updater state, whose elements it counts in an int. */
    public static boolean fitsDl4j(RunConfig config) {
        return updaterElements(config) <= Integer.MAX_VALUE;
    }

    /** Weights, gradients and optimizer state. */
    public long modelState() {
        return weights + gradients + optimizer;
    }

    /** All but Java's own. */
    public long arrays() {
        return modelState() + accumulation + activations;
    }

    public long total() {
        return arrays() + java;
    }
}
