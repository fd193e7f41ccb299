package org.dl4jsr.rounding;

/**
 * Stochastic rounding of FP32 to BF16: up or down with a probability equal to the distance to the other neighbour, so
 * that the expected result is the value itself (Ozkara, Yu, Park, arXiv 2502.20566, equation 3).
 *
 * <p>FP32 has exactly 16 bits more than BF16, so adding 16 uniform random bits and truncating is the exact definition,
 * not an approximation. The random bits are a pure function of (seed, step, element): see {@link #randomBits}.
 */
public final class StochasticRounding {

    /** The Philox stream of the weight write and of an optimizer's last moment. */
    public static final int WEIGHT_STREAM = 0;

    /** The Philox stream of the first of an optimizer's two moments; further ones are reserved. */
    public static final int MOMENT_STREAM = 1;

    private StochasticRounding() {}

    /**
     * Rounds {@code value} with the low 16 bits of {@code random}. Infinity and zero stay (signs too), any NaN becomes
     * {@link BFloat16#NAN}, subnormals are kept, and a finite value never becomes infinite: it saturates.
     */
    public static short round(float value, int random) {
        int bits = Float.floatToRawIntBits(value);
        if (BFloat16.isNaN(bits)) {
            return BFloat16.NAN;
        }
        int magnitude = bits & 0x7FFFFFFF;
        if (magnitude == 0x7F800000) {
            return (short) (bits >>> 16);
        }
        int rounded = Math.min(magnitude + (random & 0xFFFF) >>> 16, BFloat16.MAX_VALUE);
        return (short) (bits >>> 16 & 0x8000 | rounded);
    }

    /**
     * The 32 random bits of one element in one step: word {@code element % 4} of the Philox block at counter
     * (element / 4, step, stream). The low half rounds the weight, the high half the last moment: Adam's second.
     *
     * @param seed any value; low word and high word are the key
     * @param step the optimizer's step, an unsigned 32-bit counter
     * @param element index in the network's flattened parameters, from 0
     * @param stream {@link #WEIGHT_STREAM}, or another
     */
    public static int randomBits(long seed, int step, long element, int stream) {
        long block = element >>> 2;
        return Philox4x32.block((int) block, (int) (block >>> 32), step, stream, seed)[(int) (element & 3)];
    }

    /**
     * The 16 random bits that round the first of two moments of one element in one step: half {@code element % 2}, low
     * first, of word {@code element / 2} of {@link #MOMENT_STREAM}. One Philox block serves eight elements.
     */
    public static int momentBits(long seed, int step, long element) {
        return randomBits(seed, step, element >>> 1, MOMENT_STREAM) >>> 16 * (element & 1) & 0xFFFF;
    }
}
