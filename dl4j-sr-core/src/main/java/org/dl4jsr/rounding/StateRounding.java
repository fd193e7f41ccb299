package org.dl4jsr.rounding;

/** How the moments of an optimizer are written to BF16 storage. */
public enum StateRounding {
    /** Stochastic rounding of all moments: none stalls where a step moves it by less than half an ulp. */
    STOCHASTIC,
    /**
     * Round to nearest even, as the paper is plainly read: Adam's v stalls from beta2 = 0.997 up; m falls short of a
     * constant gradient, by a fifth and more at beta1 = 0.99, and never decays from beta1 = 0.997 up.
     */
    NEAREST
}
