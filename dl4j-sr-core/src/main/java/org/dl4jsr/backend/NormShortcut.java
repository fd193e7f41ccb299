package org.dl4jsr.backend;

import java.util.function.Supplier;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.executioner.DefaultOpExecutioner;
import org.nd4j.linalg.api.ops.impl.reduce.floating.Norm2;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The Euclidean norm of a whole BF16 array, as the score of l2 and DL4J's gradient clipping ask for it, without a FLOAT
 * copy of all weights.
 */
final class NormShortcut implements Shortcut {

    private final DefaultOpExecutioner executioner;
    private final CpuDevice device;

    NormShortcut(DefaultOpExecutioner executioner, CpuDevice device) {
        this.executioner = executioner;
        this.device = device;
    }

    @Override
    public boolean run(Op op, OpContext context, INDArray x, INDArray y, INDArray z, Supplier<INDArray> stock) {
        boolean suits = op instanceof Norm2 norm
                && z == null
                && !x.isEmpty()
                && (KernelOp.isDense(x) || KernelOp.isDense(RowBlock.reversed(x)))
                && !norm.isKeepDims()
                && (norm.dimensions() == null
                        || Shape.isWholeArray(x.rank(), norm.dimensions().toIntVector()))
                && !EvaluationSums.areAskedFor();
        if (suits) {
            double squares = device.kernels().sumOfSquares(KernelOp.type(x), device.address(x), x.length());
            executioner.setZ(Nd4j.scalar(DataType.BFLOAT16, Math.sqrt(squares)), op, context);
        }
        return suits;
    }
}
