package org.dl4jsr.examples.study;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class EstimateTest {

    /** Student's t for two degrees of freedom is 4.3027; the deviation of 1, 2, 3 is 1. */
    @Test
    void theIntervalIsStudents() {
        Estimate estimate = Estimate.of(1, 2, 3);
        assertEquals(2, estimate.mean());
        assertEquals(4.3027 / Math.sqrt(3), estimate.halfWidth(), 1e-4);
        assertTrue(estimate.contains(4) && !estimate.contains(5));
        assertEquals(4, estimate.at(7).length);
    }

    @Test
    void aSingleValueHasNoInterval() {
        assertArrayEquals(new double[] {7, 5}, Estimate.of(5).at(7));
    }
}
