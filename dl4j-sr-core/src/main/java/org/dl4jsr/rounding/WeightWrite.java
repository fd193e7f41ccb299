package org.dl4jsr.rounding;

/**
 * How the new FP32 weight of an optimizer's step is written to BF16 storage, and what that needs beside the weight. FP32
 * weights are written exactly, whatever is chosen here.
 */
public enum WeightWrite {
    /** Stochastic rounding: unbiased, nothing is lost on average. No extra state. */
    STOCHASTIC(true, false, false),
    /** Round to nearest even: an update under half an ulp is lost for good. No extra state. */
    NEAREST(false, false, false),
    /** Round to nearest and carry the rounding error in a BF16 compensation per weight. */
    KAHAN(false, true, false),
    /**
     * An FP32 master weight and FP32 moments per weight; BF16 weights are its rounding to nearest. A master that does
     * not round to its weight (fresh, all-zero state; the weight was set from outside) is first replaced by the weight.
     */
    MASTER(false, true, true);

    private final boolean stochastic;
    private final boolean extra;
    private final boolean fp32State;

    WeightWrite(boolean stochastic, boolean extra, boolean fp32State) {
        this.stochastic = stochastic;
        this.extra = extra;
        this.fp32State = fp32State;
    }

    /** Whether the weight is rounded stochastically. */
    public boolean isStochastic() {
        return stochastic;
    }

    /** Whether there is one more value of state a weight: a compensation or a master. */
    public boolean hasExtra() {
        return extra;
    }

    /** Whether all state of BF16 weights is FP32; else it is BF16. */
    public boolean hasFp32State() {
        return fp32State;
    }
}
