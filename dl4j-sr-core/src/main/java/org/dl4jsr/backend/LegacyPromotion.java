package org.dl4jsr.backend;

import java.util.function.Supplier;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.ReduceOp;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.ops.executioner.DefaultOpExecutioner;

/**
 * Runs an op of the old kind (operands x, y, a scalar, result z) with FLOAT copies in place of its BF16 operands. The
 * op sees its own operands again afterwards. A result that the op allocates is BF16 if x is, but for
 * {@link EvaluationSums}.
 */
final class LegacyPromotion {

    private final Device device;
    private final DefaultOpExecutioner executioner;
    private final Op op;
    private final OpContext context;
    private final INDArray x;
    private final INDArray y;
    private final INDArray z;
    private final INDArray scalar;

    LegacyPromotion(Device device, DefaultOpExecutioner executioner, Op op, OpContext context) {
        this.device = device;
        this.executioner = executioner;
        this.op = op;
        this.context = context;
        x = executioner.getX(op, context);
        y = executioner.getY(op, context);
        z = executioner.getZ(op, context);
        scalar = op instanceof ScalarOp scalarOp ? scalarOp.scalar() : null;
    }

    /** Returns the result; {@code stock} runs the op natively and returns its result. */
    INDArray run(Supplier<INDArray> stock) {
        try (var copies = new FloatCopies(device)) {
            INDArray result = runWide(stock, copies);
            if (z != null) {
                copies.writeBack(z);
                return z;
            }
            boolean promoted = Bf16Arrays.isBFloat16(x) && result != null && result.dataType() == DataType.FLOAT;
            boolean stays = promoted && op instanceof ReduceOp && EvaluationSums.areAskedFor();
            return promoted && !stays ? narrow(result, copies) : result;
        }
    }

    private INDArray runWide(Supplier<INDArray> stock, FloatCopies copies) {
        INDArray wideX = copies.of(x);
        INDArray wideY = copies.of(y);
        INDArray wideZ = copies.toOverwrite(z);
        try {
            setOperands(wideX, wideY, wideZ);
            if (scalar != null && scalar != y) {
                ((ScalarOp) op).setScalar(copies.of(scalar));
            }
            return stock.get();
        } finally {
            setOperands(x, y, z);
            if (scalar != null && scalar != y) {
                ((ScalarOp) op).setScalar(scalar);
            }
        }
    }

    /** An op's setters may touch its other operands (random ops), so x and y come first and null is not set. */
    private void setOperands(INDArray newX, INDArray newY, INDArray newZ) {
        if (newX != null) {
            executioner.setX(newX, op, context);
        }
        if (newY != null) {
            executioner.setY(newY, op, context);
        }
        if (newZ != null) {
            executioner.setZ(newZ, op, context);
        }
    }

    /** The FLOAT {@code result} that the op allocated, as BF16 in the caller's workspace. */
    private INDArray narrow(INDArray result, FloatCopies copies) {
        INDArray narrow = copies.narrow(result);
        if (executioner.getZ(op, context) == result) {
            executioner.setZ(narrow, op, context);
        }
        return narrow;
    }
}
