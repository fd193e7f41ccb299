package org.dl4jsr.backend;

import org.dl4jsr.rounding.BFloat16;

/**
 * A rank-0 BF16 array that remembers the FP32 value it was rounded from. Scalar ops take that ({@code x.mul(0.999)}:
 * ND4J wraps the number in x's type, where it would be 1), and {@code getDouble(0)} gives it, by which
 * {@code sumNumber()}, {@code meanNumber()} and DL4J's scores are FP32. Once another value is stored, that counts.
 */
public interface ExactScalar {

    /** The unrounded value. */
    float exact();

    /** {@code unrounded} if it is what {@code stored} was rounded from, else {@code stored}. */
    static float exact(float unrounded, float stored) {
        return BFloat16.toFloat(BFloat16.fromFloat(unrounded)) == stored ? unrounded : stored;
    }
}
