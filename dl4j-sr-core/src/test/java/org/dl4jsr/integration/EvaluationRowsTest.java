package org.dl4jsr.integration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.evaluation.IEvaluation;
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
import org.nd4j.linalg.dataset.ViewIterator;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.dataset.api.preprocessor.NormalizerStandardize;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** More rows than BF16 can count, in one call and in batches, in every evaluation class of ND4J. */
@Tag("slow")
class EvaluationRowsTest {

    private static final int CLASSES = 3;

    /** Labels 1000 + N(0, 2), which BF16 rounds to multiples of 4; predictions are those + N(0, 0.5). */
    private static DataSet regression(int rows) {
        var random = new Random(5);
        var predictions = new float[rows][2];
        var labels = new float[rows][2];
        for (int i = 0; i < rows; i++) {
            for (int c = 0; c < 2; c++) {
                double label = 2 * random.nextGaussian();
                labels[i][c] = (float) (1000 + label);
                predictions[i][c] = (float) (label + 0.5 * random.nextGaussian());
            }
        }
        return data(predictions, labels);
    }

    /** Logits, and classes that they make likely. */
    private static DataSet classification(int rows) {
        var random = new Random(6);
        var logits = new float[rows][CLASSES];
        var labels = new float[rows][CLASSES];
        for (int i = 0; i < rows; i++) {
            int label = random.nextInt(CLASSES);
            labels[i][label] = 1;
            for (int c = 0; c < CLASSES; c++) {
                logits[i][c] = (float) (random.nextGaussian() + (c == label ? 1 : 0));
            }
        }
        return data(logits, labels);
    }

    /** Features that BF16 has. */
    private static DataSet data(float[][] features, float[][] labels) {
        return new DataSet(
                Nd4j.createFromArray(features).castTo(DataType.BFLOAT16).castTo(DataType.FLOAT),
                Nd4j.createFromArray(labels));
    }

    /** A network that gives its input, plus {@code bias}, to the activation. */
    private static MultiLayerNetwork identity(int width, double bias, Activation activation, LossFunction loss) {
        var network = TestNetworks.network(TestNetworks.builder(new NoOp())
                .list()
                .layer(new OutputLayer.Builder(loss)
                        .nIn(width)
                        .nOut(width)
                        .activation(activation)
                        .build())
                .build());
        network.setParam("0_W", Nd4j.eye(width).castTo(DataType.FLOAT));
        network.setParam("0_b", Nd4j.valueArrayOf(new long[] {1, width}, bias, DataType.FLOAT));
        return network;
    }

    private static DataSetIterator iterator(DataSet data, int batch) {
        return new ViewIterator(data, batch);
    }

    @ParameterizedTest
    @CsvSource({"1001, 1001", "1001, 500", "3000, 3000", "3000, 500"})
    void regressionIsThatOfTheFloatNetwork(int rows, int batch) {
        DataSet data = regression(rows);
        MultiLayerNetwork wide = identity(2, 1000, Activation.IDENTITY, LossFunction.MSE);
        MultiLayerNetwork narrow = Bf16Policy.SR.convert(wide);
        RegressionEvaluation expected = wide.evaluateRegression(iterator(data, batch));
        assertTrue(expected.pearsonCorrelation(0) > 0.9);
        assertSame(expected, narrow.evaluateRegression(iterator(data, batch)));
        var done = new RegressionEvaluation();
        narrow.doEvaluation(iterator(data, batch), done);
        assertSame(expected, done);
        var own = new RegressionEvaluation();
        evaluate(own, narrow.output(data.getFeatures()), data.getLabels(), batch);
        assertSame(expected, own);
        INDArray cast = narrow.output(data.getFeatures()).castTo(DataType.BFLOAT16);
        assertTrue(assertThrows(
                        IllegalArgumentException.class, () -> new RegressionEvaluation().eval(data.getLabels(), cast))
                .getMessage()
                .contains("castTo(DataType.FLOAT)"));
    }

    private static void assertSame(RegressionEvaluation expected, RegressionEvaluation actual) {
        for (int c = 0; c < 2; c++) {
            assertEquals(expected.meanSquaredError(c), actual.meanSquaredError(c), 1e-5);
            assertEquals(expected.meanAbsoluteError(c), actual.meanAbsoluteError(c), 1e-5);
            assertEquals(expected.rSquared(c), actual.rSquared(c), 1e-5);
            assertEquals(expected.pearsonCorrelation(c), actual.pearsonCorrelation(c), 1e-5);
            assertEquals(expected.relativeSquaredError(c), actual.relativeSquaredError(c), 1e-5);
        }
    }

    @ParameterizedTest
    @CsvSource({"1001, 1001", "1001, 500", "3000, 3000", "3000, 500"})
    void classificationIsThatOfTheFloatNetwork(int rows, int batch) {
        DataSet data = classification(rows);
        MultiLayerNetwork wide = identity(CLASSES, 0, Activation.SOFTMAX, LossFunction.MCXENT);
        MultiLayerNetwork narrow = Bf16Policy.SR.convert(wide);
        IEvaluation<?>[] expected = evaluations();
        IEvaluation<?>[] actual = evaluations();
        wide.doEvaluation(iterator(data, batch), expected);
        narrow.doEvaluation(iterator(data, batch), actual);
        assertSame(expected, actual);
        IEvaluation<?>[] own = evaluations();
        for (IEvaluation<?> evaluation : own) {
            evaluate(evaluation, narrow.output(data.getFeatures()), data.getLabels(), batch);
        }
        assertSame(expected, own);
        assertEquals(
                wide.evaluate(iterator(data, batch)).toJson(),
                narrow.evaluate(iterator(data, batch)).toJson());
    }

    /** A user's own BF16 predictions: what FLOAT copies of them give, to the last digit. */
    @ParameterizedTest
    @CsvSource({"1001, 1001", "1001, 500", "3000, 3000", "3000, 500"})
    void bf16Predictions(int rows, int batch) {
        DataSet data = classification(rows);
        INDArray predictions = identity(CLASSES, 0, Activation.SOFTMAX, LossFunction.MCXENT)
                .output(data.getFeatures())
                .castTo(DataType.BFLOAT16);
        IEvaluation<?>[] expected = evaluations();
        IEvaluation<?>[] actual = evaluations();
        for (int i = 0; i < expected.length; i++) {
            evaluate(expected[i], predictions.castTo(DataType.FLOAT), data.getLabels(), batch);
            evaluate(actual[i], predictions, data.getLabels(), batch);
        }
        assertSame(expected, actual);
    }

    /** All classes for classification; of exact and of thresholded ROC curves. */
    private static IEvaluation<?>[] evaluations() {
        return new IEvaluation<?>[] {
            new Evaluation(),
            new Evaluation(null, 2), // the top two
            new EvaluationBinary(),
            new EvaluationCalibration(),
            new ROCBinary(0),
            new ROCBinary(30),
            new ROCMultiClass(0),
            new ROCMultiClass(30)
        };
    }

    private static void evaluate(IEvaluation<?> evaluation, INDArray predictions, INDArray labels, int batch) {
        for (int start = 0; start < labels.rows(); start += batch) {
            var rows = NDArrayIndex.interval(start, Math.min(labels.rows(), start + batch));
            evaluation.eval(labels.get(rows, NDArrayIndex.all()), predictions.get(rows, NDArrayIndex.all()));
        }
    }

    private static void assertSame(IEvaluation<?>[] expected, IEvaluation<?>[] actual) {
        for (int i = 0; i < expected.length; i++) {
            assertEquals(
                    content(expected[i]),
                    content(actual[i]),
                    expected[i].getClass().getSimpleName());
        }
    }

    /** All that the figures follow from: of exact ROC curves every probability and label, which is soon compared. */
    private static String content(IEvaluation<?> evaluation) {
        ROC[] curves = {};
        if (evaluation instanceof ROCBinary binary) {
            curves = binary.getUnderlying();
        } else if (evaluation instanceof ROCMultiClass multiClass) {
            curves = multiClass.getUnderlying();
        }
        return curves.length > 0 && curves[0].isExact()
                ? Arrays.stream(curves)
                        .map(curve ->
                                Arrays.toString(curve.getProbAndLabel().data().asFloat()))
                        .toList()
                        .toString()
                : evaluation.toJson();
    }

    @ParameterizedTest
    @CsvSource({"1001, 0", "3000, 0", "3000, 30"})
    void oneColumnRoc(int rows, int steps) {
        DataSet data = classification(rows);
        var column = NDArrayIndex.interval(0, 1);
        INDArray labels = data.getLabels().get(NDArrayIndex.all(), column);
        INDArray logits = data.getFeatures().get(NDArrayIndex.all(), column);
        MultiLayerNetwork wide = identity(1, 0, Activation.SIGMOID, LossFunction.XENT);
        var expected = new ROC(steps);
        var actual = new ROC(steps);
        expected.eval(labels, wide.output(logits));
        actual.eval(labels, Bf16Policy.SR.convert(wide).output(logits));
        assertEquals(expected.calculateAUC(), actual.calculateAUC(), 1e-6);
        assertEquals(expected.calculateAUCPR(), actual.calculateAUCPR(), 1e-6);
    }

    /** In place, as with FLOAT outputs: a fault of one in 1000 would be 2. */
    @ParameterizedTest
    @CsvSource({"1001", "3000"})
    void outputsBearWhatFollows(int rows) {
        DataSet data = regression(rows);
        var normalizer = new NormalizerStandardize();
        normalizer.fitLabel(true);
        normalizer.fit(data.copy());
        MultiLayerNetwork wide = identity(2, 1000, Activation.IDENTITY, LossFunction.MSE);
        INDArray expected = wide.output(data.getFeatures());
        INDArray actual = Bf16Policy.SR.convert(wide).output(data.getFeatures());
        INDArray weights = Nd4j.createFromArray(new float[][] {{1, 2}, {3, 4}});
        assertArrayEquals(
                expected.mmul(weights).toFloatMatrix()[7], actual.mmul(weights).toFloatMatrix()[7], 1e-3f);
        assertEquals(DataType.FLOAT, Nd4j.vstack(actual, expected).dataType());
        normalizer.revertLabels(expected);
        normalizer.revertLabels(actual);
        assertEquals(0, expected.sub(actual).amaxNumber().doubleValue(), 1e-3);
    }
}
