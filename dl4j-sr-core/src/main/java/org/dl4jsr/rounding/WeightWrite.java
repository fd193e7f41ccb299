package org.dl4jsr.rounding;

/**
 * How the new FP32 weight of an AdamW step is written to BF16 storage. FP32 weights are written exactly, whatever is
 * chosen here. The order is part of the native interface.
 */
public enum WeightWrite {
    /** Stochastic rounding: unbiased, nothing is lost on average. No extra state. */
    STOCHASTIC,
    /** Round to nearest even: an update under half an ulp is lost for good. No extra state. */
    NEAREST,
    /** Round to nearest and carry the rounding error in a BF16 compensation per weight. */
    KAHAN,
    /**
     * An FP32 master weight and FP32 moments per weight; BF16 weights are its rounding to nearest. A master that does
     * not round to its weight (fresh, all-zero state; the weight was set from outside) is first replaced by the weight.
     */
    MASTER
}
