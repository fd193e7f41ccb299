package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.dl4jsr.rounding.BlockSum;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class GradientSumTest {

    /** Of four pieces a slice and a bit, so that means are on their way while gradients still are. */
    private static final int LENGTH = 3 * (4 * Message.BODY / 2 + 100);

    @ParameterizedTest
    @CsvSource({"3", "2"})
    void theMeanOfTheFirstRanksIsOnAll(int senders) throws Exception {
        List<Double> wrong = Ranks.run(3, collective -> {
            INDArray gradient = Nd4j.valueArrayOf(new long[] {LENGTH}, 2 * collective.rank(), DataType.BFLOAT16);
            INDArray odd = Nd4j.arange(0, LENGTH).fmod(2).castTo(DataType.BFLOAT16);
            gradient.addi(odd);
            var sum = new GradientSum(collective, gradient, Slices.of(LENGTH, 3, BlockSum.BLOCK));
            sum.clear();
            sum.addLastForAll(gradient, senders, senders);
            return gradient.subi(odd).subi(senders - 1).ameanNumber().doubleValue();
        });
        assertEquals(List.of(0.0, 0.0, 0.0), wrong);
    }
}
