package org.dl4jsr.benchmarks.families;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.nd4j.evaluation.classification.Evaluation;
import org.nd4j.evaluation.classification.EvaluationBinary;
import org.nd4j.evaluation.regression.RegressionEvaluation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.conditions.Conditions;
import org.nd4j.linalg.ops.transforms.Transforms;

/** One figure by DL4J's evaluation class for a network's first output. */
final class InferenceEvaluation {

    private InferenceEvaluation() {}

    /**
     * Accuracy for one-hot labels, class numbers, and labels of zeros and ones; for others R squared, 0 at least; NaN
     * where labels are none of these.
     *
     * @param output [example, channel, position...]
     */
    static double of(MultiDataSet data, INDArray output) {
        INDArray labels = data.getLabels(0).castTo(DataType.DOUBLE);
        INDArray mask = data.getLabelsMaskArray(0);
        boolean numbers = labels.rank() == output.rank() && labels.size(1) == 1 && output.size(1) > 1;
        if (numbers) {
            labels = Transforms.round(labels).eq(classNumbers(output)).castTo(DataType.DOUBLE);
        }
        if (!labels.equalShapes(output)) {
            return Double.NaN;
        }
        INDArray expected = rows(labels);
        INDArray actual = rows(output);
        INDArray counted =
                mask == null ? null : mask.castTo(DataType.DOUBLE).dup('c').reshape(mask.length(), 1);
        if (expected.eq(0).castTo(DataType.FLOAT).sumNumber().intValue()
                        + expected.eq(1).castTo(DataType.FLOAT).sumNumber().intValue()
                < expected.length()) {
            var evaluation = new RegressionEvaluation();
            evaluation.eval(expected, actual, counted);
            return Math.max(0, evaluation.averageRSquared());
        }
        if (expected.size(1) > 1
                && expected.sum(1).sub(1).cond(Conditions.epsNotEquals(0)).none()) {
            var evaluation = new Evaluation();
            evaluation.eval(expected, actual, counted);
            return evaluation.accuracy();
        }
        var evaluation = new EvaluationBinary();
        evaluation.eval(expected, actual, counted == null ? null : counted.broadcast(expected.shape()));
        return evaluation.averageAccuracy();
    }

    /** [1, channel, 1...] with each channel's number. */
    private static INDArray classNumbers(INDArray output) {
        long[] shape = new long[output.rank()];
        Arrays.fill(shape, 1);
        shape[1] = output.size(1);
        return Nd4j.arange(output.size(1)).castTo(DataType.DOUBLE).reshape(shape);
    }

    /** [example and position, channel]. */
    private static INDArray rows(INDArray array) {
        int last = array.rank() - 1;
        int[] channelsLast = IntStream.rangeClosed(0, last)
                .map(i -> i == 0 ? 0 : i == last ? 1 : i + 1)
                .toArray();
        INDArray moved = array.permute(channelsLast).dup('c');
        return moved.reshape(array.length() / array.size(1), array.size(1));
    }
}
