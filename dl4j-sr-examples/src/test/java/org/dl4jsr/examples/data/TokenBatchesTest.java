package org.dl4jsr.examples.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

class TokenBatchesTest {

    private final TokenBuffer counting = counting(1000);

    @Test
    void labelsAreTheNextTokens() {
        DataSet batch = new TokenBatches(counting, 4, 8).random(1, 0, 0);
        assertEquals(DataType.INT32, batch.getFeatures().dataType());
        assertArrayEquals(new long[] {4, 8}, batch.getFeatures().shape());
        assertEquals(batch.getFeatures().add(1), batch.getLabels());
    }

    @Test
    void aBatchIsAFunctionOfSeedAndStep() {
        TokenBatches batches = new TokenBatches(counting, 4, 8);
        INDArray batch = batches.random(7, 3, 0).getFeatures();
        assertEquals(batch, new TokenBatches(counting, 4, 8).random(7, 3, 0).getFeatures());
        assertNotEquals(batch, batches.random(8, 3, 0).getFeatures());
        assertNotEquals(batch, batches.random(7, 4, 0).getFeatures());
        assertNotEquals(batch, batches.random(7, 3, 1).getFeatures());
    }

    @Test
    void smallPartsMakeUpTheLargeBatch() {
        TokenBatches small = new TokenBatches(counting, 2, 8);
        INDArray parts = Nd4j.vstack(
                small.random(7, 3, 0).getFeatures(), small.random(7, 3, 1).getFeatures());
        assertEquals(new TokenBatches(counting, 4, 8).random(7, 3, 0).getFeatures(), parts);
    }

    @Test
    void windowsReachFromTheFirstToTheLastToken() {
        TokenBatches batches = new TokenBatches(counting(11), 64, 8);
        INDArray features = batches.random(1, 0, 0).getFeatures();
        assertEquals(0, features.minNumber().intValue());
        assertEquals(9, features.maxNumber().intValue());
        DataSet spread = batches.spread(0, 3);
        assertArrayEquals(new int[] {0, 1, 2}, spread.getFeatures().getColumn(0).toIntVector());
        assertEquals(10, spread.getLabels().maxNumber().intValue());
    }

    @Test
    void theLastValidationBatchMayBeSmaller() {
        TokenBatches batches = new TokenBatches(counting, 4, 8);
        assertEquals(124, batches.windows());
        assertEquals(2, batches.spread(8, 10).getFeatures().size(0));
    }

    private static TokenBuffer counting(int length) {
        TokenBuffer tokens = new TokenBuffer();
        IntStream.range(0, length).forEach(tokens::add);
        return tokens;
    }
}
