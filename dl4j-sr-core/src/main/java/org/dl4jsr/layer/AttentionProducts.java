package org.dl4jsr.layer;

import java.util.Collection;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.AttendedSequences;
import org.dl4jsr.op.KernelOp;
import org.dl4jsr.op.MatrixProduct;
import org.dl4jsr.op.StepPart;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What DL4J's attention layers have in common: sequences as rows, [batch, time, width], dense and BF16, and products
 * with parameters as DL4J keeps them.
 */
final class AttentionProducts {

    /** By what DL4J multiplies the gradient of a SameDiff layer's output: SameDiff adds it to itself. */
    private static final int GRADIENT_FACTOR = 2;

    private AttentionProducts() {}

    /** Whether they can be had of this input, [batch, width, time], with these parameters and this mask, or null. */
    static boolean suit(
            DataType networkType, INDArray input, long width, INDArray mask, Collection<INDArray> parameters) {
        return networkType == DataType.BFLOAT16
                && input.rank() == 3
                && !input.isEmpty()
                && input.size(1) == width
                && parameters.stream().allMatch(p -> p.dataType() == DataType.BFLOAT16 && KernelOp.isDense(p))
                && KernelLayers.areSupported()
                && (mask == null || AttendedSequences.isMask(mask, input.size(0), input.size(2)));
    }

    /** A mask as attention wants it, or null. */
    static INDArray visible(INDArray mask, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        return mask == null ? null : Layouts.dense(mask, place, workspaceMgr);
    }

    /** [batch, width, time] as rows, or a copy. */
    static INDArray rows(INDArray sequences, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        return Layouts.dense(sequences.permute(0, 2, 1), place, workspaceMgr);
    }

    /** The gradient of a layer's output, as rows that may be changed. */
    static INDArray outputGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        INDArray rows = epsilon.permute(0, 2, 1);
        return Layouts.copy(DataType.BFLOAT16, rows, ArrayType.BP_WORKING_MEM, workspaceMgr)
                .muli(GRADIENT_FACTOR);
    }

    /** rows weights^T; rows themselves without weights. */
    static INDArray projected(INDArray rows, INDArray weights, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        return weights == null ? rows : product(StepPart.GEMM_FORWARD, rows, weights, true, place, workspaceMgr);
    }

    /** rows weights, or rows weights^T. */
    static INDArray product(
            StepPart part,
            INDArray rows,
            INDArray weights,
            boolean transposed,
            ArrayType place,
            LayerWorkspaceMgr workspaceMgr) {
        INDArray result = like(rows, weights.size(transposed ? 0 : 1), place, workspaceMgr);
        Nd4j.exec(new MatrixProduct(part, rows, false, weights, transposed, result));
        return result;
    }

    /** What was attended to as a layer's output, [batch, width, time], which the next layer may change. */
    static INDArray output(INDArray attended, INDArray weights, LayerWorkspaceMgr workspaceMgr) {
        INDArray rows = weights == null
                ? like(attended, attended.size(2), ArrayType.ACTIVATIONS, workspaceMgr)
                        .assign(attended)
                : product(StepPart.GEMM_FORWARD, attended, weights, false, ArrayType.ACTIVATIONS, workspaceMgr);
        return rows.permute(0, 2, 1);
    }

    /** Attention of queries to keys, still to be run. */
    static AttendedSequences sequences(
            INDArray q,
            INDArray k,
            INDArray v,
            INDArray visible,
            int heads,
            ArrayType place,
            LayerWorkspaceMgr workspaceMgr) {
        return new AttendedSequences(
                q,
                k,
                v,
                visible,
                workspaceMgr.createUninitialized(place, DataType.BFLOAT16, q.shape()),
                workspaceMgr.createUninitialized(place, DataType.FLOAT, q.size(0) * heads, q.size(1)),
                heads);
    }

    /** Writes left^T right, a gradient of weights. */
    static void weightGradient(INDArray left, INDArray right, INDArray dWeights) {
        Nd4j.exec(new MatrixProduct(StepPart.GEMM_WEIGHT, left, true, right, false, dWeights));
    }

    /**
     * {@code sum} and dResult weights, or dResult weights^T, or dResult itself without weights, in FLOAT.
     *
     * @param sum null for the first one; may be changed
     */
    static INDArray added(
            INDArray sum, INDArray dResult, INDArray weights, boolean transposed, LayerWorkspaceMgr workspaceMgr) {
        if (weights == null) {
            INDArray addend = Layouts.copy(DataType.FLOAT, dResult, ArrayType.BP_WORKING_MEM, workspaceMgr);
            return sum == null ? addend : sum.addi(addend);
        }
        INDArray result = sum;
        if (sum == null) {
            result = workspaceMgr.createUninitialized(
                    ArrayType.BP_WORKING_MEM,
                    DataType.FLOAT,
                    dResult.size(0),
                    dResult.size(1),
                    weights.size(transposed ? 0 : 1));
        }
        Nd4j.exec(new MatrixProduct(StepPart.GEMM_INPUT, dResult, false, weights, transposed, result, null, sum));
        return result;
    }

    /** A sum of gradients of the input's rows as the gradient of the input. */
    static INDArray inputGradient(INDArray sum, LayerWorkspaceMgr workspaceMgr) {
        return Layouts.copy(DataType.BFLOAT16, sum, ArrayType.ACTIVATION_GRAD, workspaceMgr)
                .permute(0, 2, 1);
    }

    /** New rows, as many as there are of {@code rows}. */
    static INDArray like(INDArray rows, long width, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        return workspaceMgr.createUninitialized(place, DataType.BFLOAT16, rows.size(0), rows.size(1), width);
    }
}
