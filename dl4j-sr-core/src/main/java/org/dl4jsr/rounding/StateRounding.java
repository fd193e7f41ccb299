package org.dl4jsr.rounding;

/** How Adam's second moment is written to BF16 storage. */
public enum StateRounding {
    /** Stochastic rounding, so that v does not stall where (1 - beta2) moves it by less than half an ulp. */
    STOCHASTIC,
    /** Round to nearest even: stalls from beta2 = 0.997 up. */
    NEAREST
}
