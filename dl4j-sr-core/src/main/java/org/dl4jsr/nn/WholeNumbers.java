package org.dl4jsr.nn;

import java.util.Arrays;
import org.deeplearning4j.exception.DL4JInvalidInputException;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Token ids and labels [batch, time] as users give them, checked and in the kernels' INT32. */
final class WholeNumbers {

    private WholeNumbers() {}

    /**
     * {@code ids}, or a copy of it in {@code place}, as contiguous INT32.
     *
     * @param what names an element in errors, "Token id"
     * @param minimum smallest value allowed
     * @param limit the vocabulary: values are below
     * @param layer for errors
     */
    static INDArray of(
            String what,
            INDArray ids,
            long minimum,
            long limit,
            ArrayType place,
            LayerWorkspaceMgr workspaceMgr,
            String layer) {
        INDArray result = ids;
        if (ids.dataType() != DataType.INT32 || !KernelOp.isDense(ids)) {
            requireWhole(what, ids, layer);
            result = workspaceMgr
                    .createUninitialized(place, DataType.INT32, ids.shape())
                    .assign(ids);
        }
        var values = result.data();
        for (long i = 0; i < result.length(); i++) {
            int value = values.getInt(i);
            if (value < minimum || value >= limit) {
                throw new DL4JInvalidInputException(what + " " + value + " at " + position(i, ids)
                        + " is out of range: the vocabulary has " + limit + " " + layer);
            }
        }
        return result;
    }

    private static void requireWhole(String what, INDArray ids, String layer) {
        for (long i = 0; i < ids.length(); i++) {
            double value = ids.getDouble(i);
            if (value != (int) value) {
                throw new DL4JInvalidInputException(
                        what + " " + value + " at " + position(i, ids) + " is not a whole number of 32 bits " + layer);
            }
        }
    }

    private static String position(long i, INDArray ids) {
        return Arrays.toString(new long[] {i / ids.size(1), i % ids.size(1)});
    }
}
