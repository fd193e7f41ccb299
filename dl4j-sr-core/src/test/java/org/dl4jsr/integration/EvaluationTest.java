package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.evaluation.classification.EvaluationBinary;
import org.nd4j.evaluation.classification.EvaluationCalibration;
import org.nd4j.evaluation.classification.ROC;
import org.nd4j.evaluation.classification.ROCBinary;
import org.nd4j.evaluation.classification.ROCMultiClass;
import org.nd4j.evaluation.regression.RegressionEvaluation;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What DL4J says of a BF16 network is what it says of the FLOAT network that it comes from. */
class EvaluationTest {

    private static MultiLayerNetwork wide;
    private static MultiLayerNetwork narrow;

    @BeforeAll
    static void train() {
        wide = TestNetworks.mlp(new Adam(5e-3), DataType.FLOAT);
        fit(wide, 20);
        narrow = Bf16Policy.SR.convert(wide);
    }

    private static ListDataSetIterator<DataSet> data() {
        return new ListDataSetIterator<>(DATA.asList(), 32);
    }

    @Test
    void classification() {
        Evaluation expected = wide.evaluate(data());
        Evaluation actual = narrow.evaluate(data());
        assertTrue(expected.accuracy() > 0.7, expected::stats);
        assertEquals(expected.accuracy(), actual.accuracy(), 2 / 128.0);
        assertEquals(expected.f1(), actual.f1(), 0.02);
        assertEquals(expected.falseAlarmRate(), actual.falseAlarmRate(), 0.02);
    }

    @Test
    void rankings() {
        for (int steps : new int[] {0, 50}) {
            ROCMultiClass expected = wide.evaluateROCMultiClass(data(), steps);
            ROCMultiClass actual = narrow.evaluateROCMultiClass(data(), steps);
            for (int c = 0; c < TestNetworks.CLASSES; c++) {
                assertEquals(expected.calculateAUC(c), actual.calculateAUC(c), 0.005);
                assertEquals(expected.calculateAUCPR(c), actual.calculateAUCPR(c), 0.01);
            }
            ROCBinary[] binary = {new ROCBinary(steps), new ROCBinary(steps)};
            wide.doEvaluation(data(), binary[0]);
            narrow.doEvaluation(data(), binary[1]);
            assertEquals(binary[0].calculateAverageAuc(), binary[1].calculateAverageAuc(), 0.005);
        }
    }

    @Test
    void twoClasses() {
        var configuration = TestNetworks.builder(new Adam(1e-2))
                .list()
                .layer(TestNetworks.dense(TestNetworks.INPUTS, 8))
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(8)
                        .nOut(2)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
        INDArray labels = Nd4j.concat(
                1,
                DATA.getLabels().get(NDArrayIndex.all(), NDArrayIndex.interval(0, 1)),
                DATA.getLabels()
                        .get(NDArrayIndex.all(), NDArrayIndex.interval(0, 1))
                        .rsub(1));
        var network = TestNetworks.network(configuration);
        var set = new DataSet(DATA.getFeatures(), labels);
        for (int i = 0; i < 20; i++) {
            network.fit(set);
        }
        ROC expected = network.evaluateROC(new ListDataSetIterator<>(List.of(set)), 0);
        ROC actual = Bf16Policy.SR.convert(network).evaluateROC(new ListDataSetIterator<>(List.of(set)), 0);
        assertTrue(expected.calculateAUC() > 0.8);
        assertEquals(expected.calculateAUC(), actual.calculateAUC(), 0.005);
        assertEquals(expected.calculateAUCPR(), actual.calculateAUCPR(), 0.01);
    }

    @Test
    @SuppressWarnings("unchecked") // DL4J's varargs
    void binaryAndCalibration() {
        EvaluationBinary[] binary = {new EvaluationBinary(), new EvaluationBinary()};
        EvaluationCalibration[] calibration = {new EvaluationCalibration(), new EvaluationCalibration()};
        wide.doEvaluation(data(), binary[0], calibration[0]);
        narrow.doEvaluation(data(), binary[1], calibration[1]);
        assertEquals(binary[0].averageAccuracy(), binary[1].averageAccuracy(), 2 / 128.0);
        assertArrayEquals(
                calibration[0].getReliabilityDiagram(0).getMeanPredictedValueX(),
                calibration[1].getReliabilityDiagram(0).getMeanPredictedValueX(),
                0.05);
    }

    @Test
    void regression() {
        RegressionEvaluation expected = wide.evaluateRegression(data());
        RegressionEvaluation actual = narrow.evaluateRegression(data());
        for (int c = 0; c < TestNetworks.CLASSES; c++) {
            assertEquals(expected.meanSquaredError(c), actual.meanSquaredError(c), 0.01 * expected.meanSquaredError(c));
            assertEquals(
                    expected.meanAbsoluteError(c), actual.meanAbsoluteError(c), 0.01 * expected.meanAbsoluteError(c));
            assertEquals(expected.rSquared(c), actual.rSquared(c), 0.01);
            assertEquals(expected.pearsonCorrelation(c), actual.pearsonCorrelation(c), 0.005);
        }
    }

    /** Whatever labels and mask are: sums of masked values must not slip through. */
    @Test
    void regressionOfBf16PredictionsIsRefused() {
        INDArray labels = Nd4j.valueArrayOf(new long[] {4, 2}, 1003, DataType.FLOAT);
        INDArray predictions = labels.castTo(DataType.BFLOAT16);
        INDArray mask = Nd4j.ones(DataType.FLOAT, 4, 2);
        for (INDArray someLabels : List.of(labels, predictions)) {
            for (INDArray someMask : Arrays.asList(null, mask, mask.castTo(DataType.BFLOAT16))) {
                var evaluation = new RegressionEvaluation();
                assertTrue(assertThrows(
                                IllegalArgumentException.class,
                                () -> evaluation.eval(someLabels, predictions, someMask))
                        .getMessage()
                        .contains("predictions.castTo(DataType.FLOAT)"));
            }
        }
    }

    @Test
    void scoresAreInFullPrecision() {
        assertEquals(wide.score(DATA), narrow.score(DATA), 0.005);
        INDArray expected = wide.scoreExamples(DATA, false);
        INDArray actual = narrow.scoreExamples(DATA, false);
        for (int i = 0; i < 128; i++) {
            assertEquals(expected.getDouble(i), actual.getDouble(i), 0.02 + 0.02 * expected.getDouble(i));
        }
    }

    @Test
    void activationsOfAllLayers() {
        List<INDArray> expected = wide.feedForward(DATA.getFeatures());
        List<INDArray> actual = narrow.feedForward(DATA.getFeatures());
        assertEquals(expected.size(), actual.size());
        for (int i = 1; i < expected.size(); i++) {
            boolean last = i == expected.size() - 1;
            assertEquals(
                    last ? DataType.FLOAT : DataType.BFLOAT16, actual.get(i).dataType());
            INDArray difference = expected.get(i).sub(actual.get(i).castTo(DataType.FLOAT));
            assertEquals(0, difference.amaxNumber().doubleValue(), 0.03);
        }
    }

    @Test
    void timeStepByTimeStep() {
        var recurrent = TestNetworks.network(TestNetworks.builder(new Adam())
                .list()
                .layer(new LSTM.Builder().nIn(4).nOut(8).build())
                .layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .activation(Activation.SOFTMAX)
                        .nIn(8)
                        .nOut(3)
                        .build())
                .build());
        MultiLayerNetwork bf16 = Bf16Policy.SR.convert(recurrent);
        INDArray sequence = Nd4j.linspace(DataType.FLOAT, -1, 0.05, 40).reshape(1, 4, 10);
        INDArray whole = bf16.output(sequence);
        for (int t = 0; t < 10; t++) {
            INDArray step = sequence.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(t, t + 1));
            INDArray expected = recurrent.rnnTimeStep(step);
            INDArray actual = bf16.rnnTimeStep(step);
            for (int c = 0; c < 3; c++) {
                assertEquals(expected.getDouble(0, c, 0), actual.getDouble(0, c, 0), 0.01);
                assertEquals(whole.getDouble(0, c, t), actual.getDouble(0, c, 0), 0.01);
            }
        }
    }
}
