package org.dl4jsr.layer;

import java.util.Comparator;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
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
}
