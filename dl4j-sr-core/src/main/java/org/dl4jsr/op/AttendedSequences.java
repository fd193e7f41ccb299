package org.dl4jsr.op;

import org.dl4jsr.kernel.AttentionShape;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What attention of queries to the keys of their sequence reads and leaves for the backward pass. Arrays are dense and
 * row-major; a width is that of all heads, which follow each other.
 *
 * @param q BFLOAT16 [batch, queries, width]
 * @param k BFLOAT16 [batch, keys, width]
 * @param v BFLOAT16 [batch, keys, width]
 * @param visible BFLOAT16 [batch, keys]: as {@link #isMask} wants it; null for all
 * @param attended BFLOAT16 [batch, queries, width]
 * @param logSumExp FLOAT [batch * heads, queries]
 * @param heads which share the width
 */
public record AttendedSequences(
        INDArray q, INDArray k, INDArray v, INDArray visible, INDArray attended, INDArray logSumExp, int heads) {

    /** Requires these types and shapes. */
    public AttendedSequences {
        long batch = q.size(0);
        long queries = q.size(1);
        long width = q.size(2);
        long keys = k.size(1);
        KernelOp.require("q", q, DataType.BFLOAT16, batch, queries, width);
        KernelOp.require("k", k, DataType.BFLOAT16, batch, keys, width);
        KernelOp.require("v", v, DataType.BFLOAT16, batch, keys, width);
        KernelOp.require("attended", attended, DataType.BFLOAT16, batch, queries, width);
        KernelOp.require("logSumExp", logSumExp, DataType.FLOAT, batch * heads, queries);
        if (visible != null) {
            KernelOp.require("visible", visible, DataType.BFLOAT16, batch, keys);
        }
        if (width % heads != 0) {
            throw new IllegalArgumentException("Width " + width + " cannot be shared by " + heads + " heads");
        }
    }

    /** Whether {@code mask} is [batch, keys], with 1 or 0 for each key, a 1 for one of each sequence at least. */
    public static boolean isMask(INDArray mask, long batch, long keys) {
        if (mask.rank() != 2 || mask.size(0) != batch || mask.size(1) != keys) {
            return false;
        }
        for (float[] sequence : mask.castTo(DataType.FLOAT).toFloatMatrix()) {
            boolean any = false;
            for (float visible : sequence) {
                if (visible != 0 && visible != 1) {
                    return false;
                }
                any |= visible == 1;
            }
            if (!any) {
                return false;
            }
        }
        return true;
    }

    AttentionShape shape() {
        return new AttentionShape((int) q.size(0), (int) q.size(1), (int) k.size(1), heads, (int) (q.size(2) / heads));
    }

    /** Floating-point operations of scores and weighted values. */
    long operations() {
        return 4 * q.length() * k.size(1);
    }
}
