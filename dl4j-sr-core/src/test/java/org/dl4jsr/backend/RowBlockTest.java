package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class RowBlockTest {

    private final INDArray all = Nd4j.create(DataType.BFLOAT16, 4, 10);
    private final RowBlock whole = RowBlock.of(all);

    private RowBlock columns(INDArray matrix, int from, int to) {
        return RowBlock.of(matrix.get(NDArrayIndex.all(), NDArrayIndex.interval(from, to)));
    }

    @Test
    void denseArraysAreOneRow() {
        assertEquals(new RowBlock(0, 1, 40, 40), whole);
        assertEquals(
                new RowBlock(10, 1, 20, 20), RowBlock.of(all.get(NDArrayIndex.interval(1, 3), NDArrayIndex.all())));
    }

    @Test
    void columnsSideBySideHaveNothingInCommon() {
        RowBlock left = columns(all, 0, 3);
        assertEquals(new RowBlock(0, 4, 3, 10), left);
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
        assertEquals(columns(all, 2, 5), RowBlock.of(transposed.get(NDArrayIndex.interval(2, 5), NDArrayIndex.all())));
    }

    @Test
    void otherwiseAllOfTheStretch() {
        INDArray everySecond = Nd4j.create(DataType.BFLOAT16, 12).get(NDArrayIndex.interval(0, 2, 12));
        assertEquals(new RowBlock(0, 1, 11, 11), RowBlock.of(everySecond));
        assertTrue(RowBlock.of(everySecond).overlaps(new RowBlock(1, 1, 1, 1)));
    }

    @Test
    void contains() {
        assertTrue(whole.contains(new RowBlock(10, 1, 10, 10)));
        assertFalse(whole.contains(columns(all, 0, 3)));
        assertTrue(columns(all, 0, 3).contains(columns(all, 0, 3)));
        assertFalse(new RowBlock(10, 1, 10, 10).contains(whole));
    }
}
