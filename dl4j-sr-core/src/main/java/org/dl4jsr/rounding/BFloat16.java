package org.dl4jsr.rounding;

/**
 * BF16 as a {@code short} holding the upper half of the FP32 bits: 1 sign, 8 exponent and 7 fraction bits.
 *
 * <p>Everything here is exact integer work on the bits, so every kernel can repeat it bit for bit.
 */
public final class BFloat16 {

    /** The only NaN that dl4j-sr writes. Devices disagree on NaN payloads; this makes them agree. */
    public static final short NAN = (short) 0x7FC0;

    /** Largest finite magnitude, 3.3895314e38. */
    public static final short MAX_VALUE = 0x7F7F;

    private BFloat16() {}

    /** The exact FP32 value of {@code bits}. */
    public static float toFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /**
     * Rounds to nearest, ties to even, as hardware does: a finite value past the largest BF16 becomes infinite.
     * Any NaN becomes {@link #NAN}; subnormals are kept.
     */
    public static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (isNaN(bits)) {
            return NAN;
        }
        return (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
    }

    /**
     * The distance from {@code bits} to the next BF16 of larger magnitude: 2^(exponent - 7), and 2^-133 below the
     * normal range. NaN and infinity have no neighbour and give NaN.
     */
    public static float ulp(short bits) {
        int exponent = bits >>> 7 & 0xFF;
        if (exponent == 0xFF) {
            return Float.NaN;
        }
        return Math.scalb(1f, Math.max(exponent, 1) - 127 - 7);
    }

    static boolean isNaN(int floatBits) {
        return (floatBits & 0x7FFFFFFF) > 0x7F800000;
    }
}
