package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class BlockTest {

    private final INDArray all = Nd4j.create(DataType.BFLOAT16, 4, 10);
    private final Block whole = Block.of(all);

    private Block columns(INDArray matrix, int from, int to) {
        return Block.of(matrix.get(NDArrayIndex.all(), NDArrayIndex.interval(from, to)));
    }

    @Test
    void denseArraysAreOneRow() {
        assertEquals(new Block(0, 1, 40, 40), whole);
        assertEquals(new Block(10, 1, 20, 20), Block.of(all.get(NDArrayIndex.interval(1, 3), NDArrayIndex.all())));
    }

    @Test
    void columnsSideBySideHaveNothingInCommon() {
        Block left = columns(all, 0, 3);
        assertEquals(new Block(0, 4, 3, 10), left);
        assertFalse(left.overlaps(columns(all, 3, 10)));
        assertFalse(columns(all, 3, 10).overlaps(left));
        assertTrue(left.overlaps(columns(all, 2, 5)));
        assertTrue(columns(all, 2, 5).overlaps(left));
        assertTrue(left.overlaps(whole));
        assertTrue(whole.overlaps(left));
    }

    @Test
    void rowsOfATransposedMatrix() {
        INDArray transposed = all.transpose(); // [10, 4]
        assertEquals(columns(all, 2, 5), Block.of(transposed.get(NDArrayIndex.interval(2, 5), NDArrayIndex.all())));
    }

    @Test
    void otherwiseAllOfTheStretch() {
        INDArray everySecond = Nd4j.create(DataType.BFLOAT16, 12).get(NDArrayIndex.interval(0, 2, 12));
        assertEquals(new Block(0, 1, 11, 11), Block.of(everySecond));
        assertTrue(Block.of(everySecond).overlaps(new Block(1, 1, 1, 1)));
    }

    @Test
    void contains() {
        assertTrue(whole.contains(new Block(10, 1, 10, 10)));
        assertFalse(whole.contains(columns(all, 0, 3)));
        assertTrue(columns(all, 0, 3).contains(columns(all, 0, 3)));
        assertFalse(new Block(10, 1, 10, 10).contains(whole));
    }
}
