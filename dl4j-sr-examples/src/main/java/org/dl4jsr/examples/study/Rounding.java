package org.dl4jsr.examples.study;

import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.rounding.StochasticRounding;

/** How an FP32 value is stored. */
enum Rounding {
    /** In FP32. */
    EXACT("exact"),
    /** In BF16, rounded to nearest even. */
    NEAREST("nearest"),
    /** In BF16, rounded stochastically. */
    STOCHASTIC("stochastic");

    private final String label;

    Rounding(String label) {
        this.label = label;
    }

    /** What is read back. The random bits are those of (seed, step, element). */
    float store(float value, long seed, int step, long element) {
        return switch (this) {
            case EXACT -> value;
            case NEAREST -> BFloat16.toFloat(BFloat16.fromFloat(value));
            case STOCHASTIC -> BFloat16.toFloat(StochasticRounding.round(
                    value, StochasticRounding.randomBits(seed, step, element, StochasticRounding.WEIGHT_STREAM)));
        };
    }

    /** The distance between two neighbours in BF16 around {@code value}. */
    static float ulp(float value) {
        return BFloat16.ulp((short) (Float.floatToRawIntBits(value) >>> 16));
    }

    @Override
    public String toString() {
        return label;
    }
}
