package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.rounding.StochasticRounding;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class StochasticAveragesTest {

    private static final int LENGTH = 4096;
    private static final long ELEMENT = 2L << 40;

    private final INDArray even = Nd4j.create(DataType.BFLOAT16, 1, LENGTH).assign(1);
    private final INDArray odd = Nd4j.create(DataType.BFLOAT16, 1, LENGTH).assign(1 + 1 / 128.0);

    @Test
    void theMeanOfNeighboursIsKeptOnAverage() {
        StochasticAverages.mark(even, 3, 7, ELEMENT);
        Nd4j.averageAndPropagate(null, List.of(even, odd));
        assertArrayEquals(Bf16Testing.bits(even), Bf16Testing.bits(odd), "both replicas get the same");
        short[] expected = new short[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            int random = StochasticRounding.randomBits(3, 7, ELEMENT + i, StochasticRounding.WEIGHT_STREAM);
            expected[i] = StochasticRounding.round(1 + 1 / 256f, random);
        }
        assertArrayEquals(expected, Bf16Testing.bits(even));
        double up = (even.castTo(DataType.FLOAT).meanNumber().doubleValue() - 1) * 128;
        assertEquals(0.5, up, 4 * 0.5 / Math.sqrt(LENGTH));
    }

    @Test
    void otherAveragesAreRoundedToNearest() {
        Nd4j.averageAndPropagate(null, List.of(even, odd));
        assertTrue(even.castTo(DataType.FLOAT).eq(1).all(), "nearest is the even neighbour");
    }

    /** Frozen weights do not move, however many replicas there are. */
    @Test
    void equalReplicasStay() {
        INDArray first = Bf16Testing.random(new Random(1), 1, LENGTH);
        short[] bits = Bf16Testing.bits(first);
        for (int replicas = 2; replicas < 9; replicas++) {
            INDArray[] arrays = new INDArray[replicas];
            Arrays.setAll(arrays, i -> first.dup());
            StochasticAverages.mark(arrays[0], 3, replicas, ELEMENT);
            Nd4j.averageAndPropagate(arrays);
            assertArrayEquals(bits, Bf16Testing.bits(arrays[replicas - 1]), replicas + " replicas");
        }
    }

    /** A view has the random bits of its place, in the order of its memory. */
    @Test
    void viewsOfMarkedArrays() {
        StochasticAverages.mark(even, 3, 7, ELEMENT);
        INDArray column = even.reshape(64, 64).transpose();
        INDArray other = odd.reshape(64, 64).transpose();
        assertEquals('f', column.ordering());
        Nd4j.averageAndPropagate(null, List.of(column, other));
        assertArrayEquals(Bf16Testing.bits(column), Bf16Testing.bits(other));
        assertFalse(even.castTo(DataType.FLOAT).eq(1).all());
        int random = StochasticRounding.randomBits(3, 7, ELEMENT + 5, StochasticRounding.WEIGHT_STREAM);
        assertEquals(BFloat16.toFloat(StochasticRounding.round(1 + 1 / 256f, random)), even.getFloat(5));
    }
}
