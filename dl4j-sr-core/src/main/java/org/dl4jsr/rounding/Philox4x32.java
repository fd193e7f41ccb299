package org.dl4jsr.rounding;

/**
 * The counter-based random generator Philox4x32-10 (Salmon, Moraes, Dror, Shaw: <i>Parallel Random Numbers: As Easy as
 * 1, 2, 3</i>, SC11). A block of four words is a pure function of counter and key; there is no state to keep.
 */
public final class Philox4x32 {

    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final int ROUNDS = 10;

    private Philox4x32() {}

    /** The four random words of the counter (c0, c1, c2, c3) under the key (low word, high word of {@code key}). */
    public static int[] block(int c0, int c1, int c2, int c3, long key) {
        int k0 = (int) key;
        int k1 = (int) (key >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = MULTIPLIER_0 * (c0 & 0xFFFFFFFFL);
            long product1 = MULTIPLIER_1 * (c2 & 0xFFFFFFFFL);
            c0 = (int) (product1 >>> 32) ^ c1 ^ k0;
            c1 = (int) product1;
            c2 = (int) (product0 >>> 32) ^ c3 ^ k1;
            c3 = (int) product0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        return new int[] {c0, c1, c2, c3};
    }
}
