package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.op.KernelOp;
import org.dl4jsr.op.SrAdamStep;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BroadcastOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.IndexAccumulation;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.RandomOp;
import org.nd4j.linalg.api.ops.ReduceOp;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.ops.TransformOp;
import org.nd4j.linalg.api.ops.impl.scatter.ScatterUpdate;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.cpu.nativecpu.ops.NativeOpExecutioner;

/**
 * ND4J's CPU executioner, in front of which ops with BF16 operands get their {@link Treatment}, ops of ours run on the
 * kernels, and weights are written for {@link LazyWrites}. ND4J creates it by name.
 */
public final class Bf16OpExecutioner extends NativeOpExecutioner {

    /** All ways to run an op of the old kind end here or in one of the following. */
    @Override
    public INDArray exec(Op op, OpContext context) {
        if (op instanceof ScalarOp || !(op instanceof TransformOp)) {
            return super.exec(op, context); // which calls the method for the kind
        }
        return run(op, context, () -> {
            super.exec(op, context);
            return getZ(op, context);
        });
    }

    @Override
    public INDArray exec(ScalarOp op, OpContext context) {
        return run(op, context, () -> super.exec(op, context));
    }

    @Override
    public INDArray exec(ReduceOp op, OpContext context) {
        return run(op, context, () -> super.exec(op, context));
    }

    @Override
    public INDArray exec(IndexAccumulation op, OpContext context) {
        return run(op, context, () -> super.exec(op, context));
    }

    @Override
    public INDArray exec(BroadcastOp op, OpContext context) {
        return run(op, context, () -> super.exec(op, context));
    }

    @Override
    public INDArray exec(RandomOp op, OpContext context, Random random) {
        return run(op, context, () -> super.exec(op, context, random));
    }

    private INDArray run(Op op, OpContext context, Supplier<INDArray> stock) {
        INDArray x = getX(op, context);
        INDArray y = getY(op, context);
        INDArray z = getZ(op, context);
        if (!LazyWrites.isEmpty()) {
            LazyWrites.intercept(op.opName(), Arrays.asList(x, y), Collections.singletonList(z));
        }
        INDArray scalar = op instanceof ScalarOp scalarOp ? scalarOp.scalar() : null;
        return switch (Treatment.of(op.opName(), Arrays.asList(x, y, scalar), Collections.singletonList(z))) {
            case COPY -> copy(op, context, x, z, stock);
            case PROMOTED -> new LegacyPromotion(this, op, context).run(stock);
            default -> stock.get();
        };
    }

    private INDArray copy(Op op, OpContext context, INDArray source, INDArray target, Supplier<INDArray> stock) {
        long start = profilingConfigurableHookIn(op);
        if (target == null || !Bf16Arrays.copy(source, target)) {
            return stock.get();
        }
        if (source.dataType() != target.dataType()) { // else the elements may be halves of FP32 values: no NaN check
            profilingConfigurableHookOut(op, context, start);
        }
        return target;
    }

    @Override
    public INDArray[] exec(CustomOp op) {
        return runs(op, null, op.inputArguments(), op.outputArguments())
                ? op.outputArguments().toArray(new INDArray[0])
                : super.exec(op);
    }

    @Override
    public INDArray[] exec(CustomOp op, OpContext context) {
        List<INDArray> inputs = context.getInputArrays();
        List<INDArray> outputs = context.getOutputArrays();
        if (runs(op, context, inputs, outputs)) {
            return outputs.toArray(new INDArray[0]);
        }
        boolean promoted = switch (Treatment.of(op.opName(), inputs, outputs)) {
            case PROMOTED, MATMUL -> true;
            default -> false;
        };
        return promoted ? CustomPromotion.run(op, context, () -> super.exec(op, context)) : super.exec(op, context);
    }

    @Override
    public List<LongShapeDescriptor> calculateOutputShape(CustomOp op, OpContext context) {
        boolean ofContext = context != null && context.numInputArguments() > 0;
        return Bf16Arrays.anyBFloat16(ofContext ? context.getInputArrays() : op.inputArguments())
                ? CustomPromotion.shapes(op, context, () -> super.calculateOutputShape(op, context))
                : super.calculateOutputShape(op, context);
    }

    @Override
    public void scatterUpdate(
            ScatterUpdate.UpdateOp op, INDArray array, INDArray indices, INDArray updates, int[] axis) {
        if (!LazyWrites.isEmpty()) {
            LazyWrites.intercept("scatterUpdate", List.of(indices, updates), List.of(array));
        }
        try (var copies = new FloatCopies()) {
            super.scatterUpdate(op, copies.of(array), indices, copies.of(updates), axis);
            copies.writeBack(array);
        }
    }

    /** Runs the op if it is not ND4J's native code's to run, and returns whether it has. */
    private boolean runs(CustomOp op, OpContext context, List<INDArray> inputs, List<INDArray> outputs) {
        if (!LazyWrites.isEmpty() && LazyWrites.intercept(op.opName(), inputs, outputs)) {
            return true;
        }
        if (op instanceof KernelOp kernelOp) {
            run(kernelOp, context);
            return true;
        }
        return switch (Treatment.of(op.opName(), inputs, outputs)) {
            case COPY -> copies(op, context, inputs, outputs);
            case MATMUL -> multiplies(op, context, inputs, outputs);
            case REFUSED -> throw refused(op.opName(), inputs);
            default -> false;
        };
    }

    private void run(KernelOp op, OpContext context) {
        long start = profilingConfigurableHookIn(op, context);
        op.run(Kernels.get(), Matmul.get());
        if (!(op instanceof SrAdamStep)) { // its state may be FP32 values in BF16 arrays, which look like NaN
            profilingConfigurableHookOut(op, context, start);
        }
    }

    /** {@code cast(x)} or {@code assign(target, x)}. */
    private boolean copies(CustomOp op, OpContext context, List<INDArray> inputs, List<INDArray> outputs) {
        if (outputs.isEmpty()) {
            return false;
        }
        long start = profilingConfigurableHookIn(op, context);
        INDArray source = inputs.get(inputs.size() - 1);
        INDArray target = outputs.get(0);
        boolean done = Bf16Arrays.copy(source, target);
        if (done && source.dataType() != target.dataType()) {
            profilingConfigurableHookOut(op, context, start);
        }
        return done;
    }

    private boolean multiplies(CustomOp op, OpContext context, List<INDArray> inputs, List<INDArray> outputs) {
        if (outputs.isEmpty()) {
            return false;
        }
        long start = profilingConfigurableHookIn(op, context);
        long[] flags = context == null
                ? op.iArgs()
                : context.getIArguments().stream().mapToLong(i -> i).toArray();
        double[] factors = context == null
                ? op.tArgs()
                : context.getTArguments().stream().mapToDouble(t -> t).toArray();
        boolean done = Nd4jMatmul.run(op.opName(), inputs, outputs, flags, factors);
        if (done) {
            profilingConfigurableHookOut(op, context, start);
        }
        return done;
    }

    private static UnsupportedOperationException refused(String op, List<INDArray> operands) {
        return new UnsupportedOperationException("Op " + op + " cannot run on BFLOAT16 arrays, got "
                + operands.stream().filter(Objects::nonNull).map(array -> array.dataType().name()).toList()
                + "; cast them to FLOAT and back around it");
    }
}
