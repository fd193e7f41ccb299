package org.dl4jsr.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;
import org.nd4j.linalg.lossfunctions.impl.LossNegativeLogLikelihood;

class OneHotLabelsTest {

    private static final IActivation SOFTMAX = Activation.SOFTMAX.getActivationFunction();
    private static final INDArray LABELS = Nd4j.create(new float[][] {{0, 1, 0}, {1, 0, 0}, {0, 0, 1}});
    /** The second row's class has a probability below DL4J's limit, the third one's is sure. */
    private static final INDArray LOGITS = Nd4j.create(new float[][] {{1.5f, -0.25f, 3}, {-60, 7, -2}, {-20, -20, 30}});

    /** As DL4J in FLOAT computes it: score, scores of the rows, gradient. */
    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void aKernelGivesWhatStockFloatGives(DataType type) {
        INDArray ofTime = Nd4j.create(new float[][] {{1}, {0}, {1}});
        INDArray hidden = Nd4j.create(new float[][] {{0, 1, 0}, {0, 0, 0}, {0, 0, 1}}); // as padding is
        var stock = new LossMCXENT();
        for (INDArray mask : new INDArray[] {null, ofTime, ofTime.castTo(type)}) {
            for (INDArray labels :
                    mask == null ? new INDArray[] {LABELS, LABELS.dup('f')} : new INDArray[] {LABELS, hidden}) {
                INDArray logits = LOGITS.castTo(type);
                INDArray wide = logits.castTo(DataType.FLOAT);
                assertNotNull(OneHotLabels.of(stock, labels, logits, SOFTMAX, mask));
                var loss = new Fp32Loss(stock);
                for (boolean average : new boolean[] {false, true}) {
                    assertEquals(
                            stock.computeScore(labels, wide.dup(), SOFTMAX, mask, average),
                            loss.computeScore(labels, logits, SOFTMAX, mask, average),
                            1e-5);
                }
                INDArray scores = loss.computeScoreArray(labels, logits, SOFTMAX, mask);
                assertTrue(stock.computeScoreArray(labels, wide.dup(), SOFTMAX, mask)
                        .equalsWithEps(scores, 1e-5));
                INDArray gradient = loss.computeGradient(labels, logits, SOFTMAX, mask);
                assertEquals(type, gradient.dataType());
                assertTrue(stock.computeGradient(labels, wide.dup(), SOFTMAX, mask)
                        .equalsWithEps(gradient.castTo(DataType.FLOAT), type == DataType.FLOAT ? 1e-6 : 0x1p-9));
                assertEquals(LOGITS.castTo(type), logits, "is left as it was");
            }
        }
    }

    @Test
    void whatIsNotFiniteIsSeen() {
        INDArray logits = LOGITS.castTo(DataType.BFLOAT16);
        logits.putScalar(1, 1, Double.NaN);
        var loss = new Fp32Loss(new LossMCXENT());
        assertTrue(Double.isNaN(loss.computeScore(LABELS, logits, SOFTMAX, null, true)));
        assertTrue(Double.isNaN(
                loss.computeGradient(LABELS, logits, SOFTMAX, null).sumNumber().doubleValue()));
    }

    @Test
    void allElseIsDl4js() {
        INDArray logits = LOGITS.castTo(DataType.BFLOAT16);
        var plain = new LossMCXENT();
        assertNotNull(OneHotLabels.of(new LossNegativeLogLikelihood(), LABELS, logits, SOFTMAX, null));
        Stream.of(
                        new float[][] {{0, 0.9f, 0.1f}, {1, 0, 0}, {0, 0, 1}}, // smoothed
                        new float[][] {{0, 1, 1}, {1, 0, 0}, {0, 0, 1}},
                        new float[][] {{0, 0, 0}, {1, 0, 0}, {0, 0, 1}},
                        new float[][] {{0, 1, Float.NaN}, {1, 0, 0}, {0, 0, 1}})
                .forEach(labels -> assertNull(OneHotLabels.of(plain, Nd4j.create(labels), logits, SOFTMAX, null)));
        assertNull(OneHotLabels.of(plain, LABELS.castTo(DataType.DOUBLE), logits, SOFTMAX, null));
        assertNull(OneHotLabels.of(plain, LABELS.reshape(1, 3, 3), logits, SOFTMAX, null));
        assertNull(OneHotLabels.of(plain, LABELS, logits.dup('f'), SOFTMAX, null));
        assertNull(OneHotLabels.of(plain, LABELS, logits, Activation.SIGMOID.getActivationFunction(), null));
        INDArray half = Nd4j.create(new float[][] {{1}, {0.5f}, {1}});
        assertNull(OneHotLabels.of(plain, LABELS, logits, SOFTMAX, half));
        assertNull(OneHotLabels.of(plain, LABELS, logits, SOFTMAX, Nd4j.onesLike(LABELS)));
        var own = new LossMCXENT() {
            @Override
            public double computeScore(INDArray l, INDArray z, IActivation activation, INDArray mask, boolean average) {
                return 42;
            }
        };
        for (ILossFunction loss : new ILossFunction[] {
            new LossMCXENT(Nd4j.create(new float[][] {{1, 2, 3}})), new LossMCXENT(0, null), new LossMSE(), own
        }) {
            assertNull(OneHotLabels.of(loss, LABELS, logits, SOFTMAX, null), loss.toString());
        }
        assertEquals(42, new Fp32Loss(own).computeScore(LABELS, logits, SOFTMAX, null, false));
    }
}
