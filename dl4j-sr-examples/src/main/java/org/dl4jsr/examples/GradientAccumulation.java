package org.dl4jsr.examples;

import java.util.Iterator;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * One optimizer step from the gradients of several batches of one size, as of one large batch: summed in FP32, so that
 * a BF16 gradient is rounded once more and not once a batch.
 */
final class GradientAccumulation {

    /** Elements cast at once, to need little memory beside the sums. */
    private static final long CHUNK = 1 << 20;

    private final ComputationGraph network;
    private final INDArray sums;

    GradientAccumulation(ComputationGraph network) {
        this.network = network;
        this.sums = Nd4j.create(DataType.FLOAT, network.numParams());
    }

    /** Takes one step and returns the mean score of the batches. */
    double step(Iterator<DataSet> batches) {
        int count = 0;
        double score = 0;
        sums.assign(0);
        while (batches.hasNext()) {
            DataSet batch = batches.next();
            network.setInputs(batch.getFeatures());
            network.setLabels(batch.getLabels());
            network.computeGradientAndScore();
            score += network.score();
            count++;
            addTo(sums, gradient());
        }
        sums.divi(count);
        assignTo(gradient(), sums);
        OptimizerStep.take(network);
        return score / count;
    }

    private INDArray gradient() {
        INDArray view = network.getFlattenedGradients();
        return view.reshape(view.length());
    }

    private static void addTo(INDArray sums, INDArray gradient) {
        for (long start = 0; start < sums.length(); start += CHUNK) {
            INDArray part = part(gradient, start);
            INDArray floats = part.castTo(DataType.FLOAT);
            part(sums, start).addi(floats);
            if (floats != part) {
                floats.close();
            }
        }
    }

    private static void assignTo(INDArray gradient, INDArray sums) {
        for (long start = 0; start < sums.length(); start += CHUNK) {
            part(gradient, start).assign(part(sums, start));
        }
    }

    private static INDArray part(INDArray vector, long start) {
        return vector.get(NDArrayIndex.interval(start, Math.min(start + CHUNK, vector.length())));
    }
}
