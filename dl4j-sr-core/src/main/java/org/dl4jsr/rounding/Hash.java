package org.dl4jsr.rounding;

/** A hash of numbers that mixes all bits, for keys of random bits: the mixer of SplitMix64. */
public final class Hash {

    private Hash() {}

    /** The hash of some numbers in their order. */
    public static long of(long... values) {
        long hash = 0;
        for (long value : values) {
            hash = mix(hash + value + 0x9E3779B97F4A7C15L);
        }
        return hash;
    }

    /** The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection that mixes all bits. */
    public static long mix(long z) {
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
