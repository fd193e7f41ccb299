package org.dl4jsr.rounding;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class Philox4x32Test {

    /** The known answers of Random123, the authors' library. */
    @Test
    void knownAnswers() {
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, Philox4x32.block(0, 0, 0, 0, 0));
        assertArrayEquals(
                new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, Philox4x32.block(-1, -1, -1, -1, -1));
        assertArrayEquals(
                new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
                Philox4x32.block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0x299f31d0_a4093822L));
    }

    /** Element, step, stream and seed each take the place that the specification gives them. */
    @Test
    void randomBitsAreWordsOfBlocks() {
        long seed = 0x0123456789ABCDEFL;
        for (long element : new long[] {0, 1, 2, 3, 4, 1_000_003, (1L << 34) - 1, 1L << 34, (1L << 40) + 6}) {
            long block = element / 4;
            int[] words = Philox4x32.block((int) block, (int) (block >> 32), -7, 5, seed);
            assertEquals(words[(int) (element % 4)], StochasticRounding.randomBits(seed, -7, element, 5));
        }
    }
}
