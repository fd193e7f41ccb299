package org.dl4jsr.layer;

import java.util.Comparator;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Arrays whose dimensions lie in memory in another order than in their shape. */
final class Layouts {

    private Layouts() {}

    /** A dense array of x's type and shape, its dimensions in the same order in memory. */
    static INDArray alike(INDArray x, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        int[] order = IntStream.range(0, x.rank())
                .boxed()
                .sorted(Comparator.comparing(dimension -> -x.stride(dimension)))
                .mapToInt(dimension -> dimension)
                .toArray();
        long[] shape = new long[order.length];
        int[] back = new int[order.length];
        for (int i = 0; i < order.length; i++) {
            shape[i] = x.size(order[i]);
            back[order[i]] = i;
        }
        return workspaceMgr.createUninitialized(place, x.dataType(), shape).permute(back);
    }

    /** A copy of x in this type, row-major. */
    static INDArray copy(DataType type, INDArray x, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        return workspaceMgr.createUninitialized(place, type, x.shape()).assign(x);
    }

    /** x, or a copy of it, BF16, dense and row-major. */
    static INDArray dense(INDArray x, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        return x.dataType() == DataType.BFLOAT16 && KernelOp.isDense(x)
                ? x
                : copy(DataType.BFLOAT16, x, place, workspaceMgr);
    }

    /** x, or a copy of it, in this type. */
    static INDArray ofType(DataType type, INDArray x, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        return x.dataType() == type ? x : copy(type, x, place, workspaceMgr);
    }

    /** A BF16 array of this shape, [batch, channels, rows, columns], its channels last in memory. */
    static INDArray channelsLast(ArrayType place, LayerWorkspaceMgr workspaceMgr, long... shape) {
        return workspaceMgr
                .createUninitialized(place, DataType.BFLOAT16, shape[0], shape[2], shape[3], shape[1])
                .permute(0, 3, 1, 2);
    }
}
