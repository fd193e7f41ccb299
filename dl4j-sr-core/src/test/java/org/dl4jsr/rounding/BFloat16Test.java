package org.dl4jsr.rounding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

class BFloat16Test {

    private static final int INFINITY = 0x7F80;

    @Test
    void everyValueComesBack() {
        for (int bits = 0; bits < 0x10000; bits++) {
            short expected = (bits & 0x7FFF) > INFINITY ? BFloat16.NAN : (short) bits;
            assertEquals(expected, BFloat16.fromFloat(BFloat16.toFloat((short) bits)), () -> "lost a value");
        }
    }

    /** Between every two neighbours: a tie goes to the even one, anything else to the nearer one. */
    @Test
    void nearestBetweenAllNeighbours() {
        for (int magnitude = 0; magnitude < INFINITY; magnitude++) {
            for (int sign : new int[] {0, 0x8000}) {
                int low = sign | magnitude;
                int lowFloat = low << 16;
                int even = (magnitude & 1) == 0 ? low : low + 1;
                assertRounds(low, lowFloat + 1);
                assertRounds(low, lowFloat + 0x7FFF);
                assertRounds(even, lowFloat + 0x8000);
                assertRounds(low + 1, lowFloat + 0x8001);
                assertRounds(low + 1, lowFloat + 0xFFFF);
            }
        }
    }

    private static void assertRounds(int expected, int floatBits) {
        short actual = BFloat16.fromFloat(Float.intBitsToFloat(floatBits));
        assertEquals(
                (short) expected,
                actual,
                () -> Integer.toHexString(floatBits) + " became " + Integer.toHexString(actual & 0xFFFF));
    }

    /** The same by another way: exact decimals. */
    @Test
    void nearestIsTheNearest() {
        var random = new java.util.Random(3);
        for (int i = 0; i < 20_000; i++) {
            float x = Float.intBitsToFloat(random.nextInt());
            if (Float.isFinite(x) && Math.abs(x) < 3e38f) {
                short rounded = BFloat16.fromFloat(x);
                var distance = distance(x, rounded);
                assertTrue(distance.compareTo(distance(x, (short) (rounded + 1))) <= 0, () -> "nearer above " + x);
                if ((rounded & 0x7FFF) != 0) {
                    assertTrue(distance.compareTo(distance(x, (short) (rounded - 1))) <= 0, () -> "nearer below " + x);
                }
            }
        }
    }

    private static BigDecimal distance(float x, short rounded) {
        return new BigDecimal(x)
                .subtract(new BigDecimal(BFloat16.toFloat(rounded)))
                .abs();
    }

    @Test
    void specials() {
        assertEquals((short) INFINITY, BFloat16.fromFloat(Float.POSITIVE_INFINITY));
        assertEquals((short) 0xFF80, BFloat16.fromFloat(Float.NEGATIVE_INFINITY));
        assertEquals((short) INFINITY, BFloat16.fromFloat(Float.MAX_VALUE));
        assertEquals((short) 0, BFloat16.fromFloat(0f));
        assertEquals((short) 0x8000, BFloat16.fromFloat(-0f));
        assertEquals((short) 0, BFloat16.fromFloat(Float.MIN_VALUE));
        assertEquals((short) 1, BFloat16.fromFloat(Math.scalb(1f, -133)));
        for (int nan : new int[] {0x7F800001, 0x7FFFFFFF, 0x7FC12345, 0xFF800001, 0xFFFFFFFF, 0xFFC00000}) {
            assertEquals(BFloat16.NAN, BFloat16.fromFloat(Float.intBitsToFloat(nan)), Integer.toHexString(nan));
        }
    }

    @Test
    void ulpIsTheDistanceToTheNextMagnitude() {
        for (int magnitude = 0; magnitude < INFINITY - 1; magnitude++) {
            float distance = BFloat16.toFloat((short) (magnitude + 1)) - BFloat16.toFloat((short) magnitude);
            assertEquals(distance, BFloat16.ulp((short) magnitude));
            assertEquals(distance, BFloat16.ulp((short) (magnitude | 0x8000)));
        }
        assertEquals(Math.scalb(1f, 120), BFloat16.ulp(BFloat16.MAX_VALUE));
        assertTrue(Float.isNaN(BFloat16.ulp((short) INFINITY)));
        assertTrue(Float.isNaN(BFloat16.ulp(BFloat16.NAN)));
    }
}
