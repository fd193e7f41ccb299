package org.dl4jsr.backend;

import java.util.List;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;

/**
 * A way round ND4J's code for some of its ops on BF16 arrays: the same result as by the op's {@link Treatment}, faster.
 * A device has as many as it has kernels for.
 */
public interface Shortcut {

    /**
     * Runs an op of the old kind if there is a way.
     *
     * @param x BF16
     * @param y may be null
     * @param z null where the op has still to make its result, which it then is given
     * @param stock ND4J's code
     * @return whether it has been done
     */
    default boolean run(Op op, OpContext context, INDArray x, INDArray y, INDArray z, Supplier<INDArray> stock) {
        return false;
    }

    /**
     * Runs a custom op if there is a way.
     *
     * @param outputs at least one, the first of them BF16
     * @param integers its integer arguments
     * @param numbers its floating point arguments
     * @return whether it has been done
     */
    default boolean run(String op, List<INDArray> inputs, List<INDArray> outputs, long[] integers, double[] numbers) {
        return false;
    }
}
