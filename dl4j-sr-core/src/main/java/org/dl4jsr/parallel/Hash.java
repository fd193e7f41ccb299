package org.dl4jsr.parallel;

/** A hash of numbers that mixes all bits: the finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
final class Hash {

    private Hash() {}

    static long of(long... values) {
        long hash = 0;
        for (long value : values) {
            hash = mix(hash + value + 0x9E3779B97F4A7C15L);
        }
        return hash;
    }

    private static long mix(long z) {
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
