package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.dl4jsr.kernel.Memory;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

class AlignedMemoryTest {

    /** Or weights, gradient and state of an optimizer may push each other out of the first-level cache. */
    @Test
    void largeArraysLieApartInTheirPages() {
        long[] places = IntStream.range(0, 6)
                .mapToLong(i -> Nd4j.createUninitialized(DataType.BFLOAT16, 1 << 20)
                        .data()
                        .addressPointer()
                        .address())
                .toArray();
        for (int i = 0; i < places.length; i++) {
            for (int j = 0; j < i; j++) {
                long distance = Math.floorMod(places[i] - places[j], 4096);
                assertTrue(Math.min(distance, 4096 - distance) >= 2 * Memory.ALIGNMENT, Arrays.toString(places));
            }
        }
    }
}
