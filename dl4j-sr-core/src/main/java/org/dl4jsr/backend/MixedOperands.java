package org.dl4jsr.backend;

import java.util.List;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Joins and products of BF16 and FLOAT arrays, whose types ND4J wants to be equal: a result that the op allocates is
 * FLOAT.
 */
final class MixedOperands {

    private static final Set<String> OPS =
            Set.of("concat", "stack", "flatten", "matmul", "tensormmul", "tensordot", "xw_plus_b");

    private MixedOperands() {}

    /** Whether these are the operands of such an op. */
    static boolean are(String op, List<INDArray> inputs) {
        return OPS.contains(op)
                && Bf16Arrays.anyBFloat16(inputs)
                && inputs.stream().anyMatch(array -> array.dataType() == DataType.FLOAT);
    }
}
