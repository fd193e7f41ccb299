package org.dl4jsr.policy;

import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.op.Device;
import org.dl4jsr.op.KernelOp;
import org.dl4jsr.op.SoftmaxCrossEntropy;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSoftmax;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;
import org.nd4j.linalg.lossfunctions.impl.LossNegativeLogLikelihood;

/**
 * The multi-class cross-entropy of a softmax by one kernel, FP32 inside, where each row has one class: DL4J's
 * {@link LossMCXENT}, which takes a dozen ops, some of them several times.
 */
final class OneHotLabels {

    /** Of a row that a mask hides. */
    private static final int NONE = -1;

    private final INDArray logits;
    private final int[] targets;
    /** Of a row: DL4J limits probabilities. */
    private final float least;

    private final float greatest;

    private OneHotLabels(INDArray logits, int[] targets, double epsilon) {
        this.logits = logits;
        this.targets = targets;
        least = (float) -Math.log((float) (1 - epsilon));
        greatest = (float) -Math.log((float) epsilon);
    }

    /**
     * The labels of this loss, or null where only DL4J's code can compute it: another loss or activation, class weights,
     * no limit of probabilities, arrays that are no dense matrices, FLOAT labels that are not one 1 and else 0 in each
     * row, a mask of single outputs or with values other than 0 and 1.
     *
     * @param mask may be null
     */
    static OneHotLabels of(
            ILossFunction loss, INDArray labels, INDArray preOutput, IActivation activation, INDArray mask) {
        boolean known = loss.getClass() == LossMCXENT.class || loss.getClass() == LossNegativeLogLikelihood.class;
        if (!known || activation.getClass() != ActivationSoftmax.class) {
            return null;
        }
        var entropy = (LossMCXENT) loss;
        boolean suits = entropy.getWeights() == null
                && entropy.getSoftmaxClipEps() > 0
                && preOutput.rank() == 2
                && !preOutput.isEmpty()
                && (preOutput.dataType() == DataType.BFLOAT16 || preOutput.dataType() == DataType.FLOAT)
                && KernelOp.isDense(preOutput)
                && labels.dataType() == DataType.FLOAT
                && labels.equalShapes(preOutput)
                && (mask == null || mask.isColumnVectorOrScalar() && mask.length() == preOutput.size(0));
        int[] targets = suits ? targets(labels, mask) : null;
        return targets == null ? null : new OneHotLabels(preOutput, targets, entropy.getSoftmaxClipEps());
    }

    /** The class of each row, or null. */
    private static int[] targets(INDArray labels, INDArray mask) {
        double[] seen = mask == null ? null : mask.toDoubleVector();
        var targets = new int[Math.toIntExact(labels.size(0))];
        int columns = Math.toIntExact(labels.size(1));
        long first = device().hostAddress(labels);
        for (int row = 0; row < targets.length; row++) {
            if (seen != null && seen[row] == 0) {
                targets[row] = NONE;
                continue;
            }
            int target = NONE;
            for (int column = 0; column < columns; column++) {
                long element = (long) row * labels.stride(0) + (long) column * labels.stride(1);
                float label = Memory.getFloat(first + Float.BYTES * element);
                if (label == 1 && target == NONE) {
                    target = column;
                } else if (label != 0) {
                    return null;
                }
            }
            if (target == NONE || seen != null && seen[row] != 1) {
                return null;
            }
            targets[row] = target;
        }
        return targets;
    }

    private static Device device() {
        return Bf16Executioner.requiredBy("Fp32Loss");
    }

    /** The sum of all rows' losses. */
    double score() {
        double sum = 0;
        for (float loss : rows()) {
            sum += loss;
        }
        return sum;
    }

    /** FLOAT [rows, 1]. */
    INDArray losses() {
        float[] rows = rows();
        return Nd4j.createFromArray(rows).reshape(rows.length, 1);
    }

    private float[] rows() {
        var rows = new float[targets.length];
        INDArray losses = compute(null);
        long first = device().hostAddress(losses);
        for (int row = 0; row < rows.length; row++) {
            float loss = Memory.getFloat(first + (long) Float.BYTES * row);
            rows[row] = targets[row] == NONE ? 0 : Math.min(Math.max(loss, least), greatest);
        }
        return rows;
    }

    /** Of the pre-output, in its type. */
    INDArray gradient() {
        INDArray gradient = Nd4j.createUninitialized(logits.dataType(), logits.shape());
        var unused = compute(gradient); // the losses
        return gradient;
    }

    /** Computes the losses, [rows], and the gradient, unless that is null. */
    private INDArray compute(INDArray gradient) {
        INDArray losses = Nd4j.createUninitialized(DataType.FLOAT, targets.length);
        Nd4j.exec(new SoftmaxCrossEntropy(logits, Nd4j.createFromArray(targets), losses, gradient, 1));
        return losses;
    }
}
