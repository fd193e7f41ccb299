package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.dl4jsr.op.Device;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.ops.executioner.DefaultOpExecutioner;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.api.ops.impl.transforms.any.Assign;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.Axpy;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Log;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.exception.ND4JOpProfilerException;

/**
 * What dl4j-sr's executioners, which extend those of ND4J's backends, do before ND4J's own code: ops with BF16 operands
 * get their {@link Treatment}, ops of ours run on the kernels, and {@link PendingSteps} are taken. In each
 * method {@code stock} is ND4J's own code.
 */
public final class OpDispatch {

    private final DefaultOpExecutioner executioner;
    private final Device device;
    private final Nd4jMatmul matmul;
    private final List<Shortcut> shortcuts;

    /** For the ops of {@code executioner}, on arrays in {@code device}'s memory. */
    public OpDispatch(DefaultOpExecutioner executioner, Device device, Shortcut... shortcuts) {
        this.executioner = executioner;
        this.device = device;
        matmul = new Nd4jMatmul(device);
        this.shortcuts = List.of(shortcuts);
    }

    /** Runs an op of the old kind and returns its result, as {@code stock} does. */
    public INDArray run(Op op, OpContext context, Supplier<INDArray> ofStock) {
        Supplier<INDArray> stock = waiting(ofStock);
        INDArray x = executioner.getX(op, context);
        INDArray y = executioner.getY(op, context);
        INDArray z = executioner.getZ(op, context);
        if (!PendingSteps.isEmpty()) {
            PendingSteps.intercept(device, op.opName(), Arrays.asList(x, y), Collections.singletonList(z));
        }
        if (op instanceof Assign && isSame(x, z)) {
            return z;
        }
        if (op instanceof Log && isStepOfLogarithm(z)) {
            throw new UnsupportedOperationException("BatchNormalization keeps the logarithm of its running deviation"
                    + " (useLogStd, which is DL4J's default), whose small steps are lost in BFLOAT16: the network would be"
                    + " wrong at inference. Call useLogStd(false) on the layer's builder, or use Bf16Policy: apply for a"
                    + " configuration, convert for a network");
        }
        if (op instanceof Axpy && ExactSums.applies(device, x, y, z)) {
            ExactSums.axpy(device, x, z, ((Number) op.extraArgs()[0]).doubleValue());
            return z;
        }
        if (!ExactSums.isEmpty()) {
            if (op instanceof BroadcastMulOp product
                    && RunningSums.mask(device, x, y, z, product.dimensions().toIntVector())) {
                return z;
            }
            boolean copies = op instanceof Assign;
            ExactSums.forget(copies ? Collections.singletonList(z) : Arrays.asList(x, y, z));
        }
        if (shortens(op, context, x, y, z, stock)) {
            return executioner.getZ(op, context);
        }
        INDArray scalar = op instanceof ScalarOp scalarOp ? scalarOp.scalar() : null;
        return switch (Treatment.of(op.opName(), Arrays.asList(x, y, scalar), Collections.singletonList(z))) {
            case COPY -> copy(op, context, x, z, stock);
            case PROMOTED -> new LegacyPromotion(device, executioner, op, context).run(stock);
            case BROKEN -> throw broken(op.opName(), Arrays.asList(x, y));
            default -> stock.get();
        };
    }

    /** Whether the two are the same elements in one order: DL4J gives a network its own parameters at a step's end. */
    private static boolean isSame(INDArray x, INDArray z) {
        return z != null && !x.isEmpty() && Bf16Arrays.sameStretch(x, z) && KernelOp.isDense(x) && KernelOp.isDense(z);
    }

    /** {@code stock} once the arrays are ND4J's to touch. */
    private <T> Supplier<T> waiting(Supplier<T> stock) {
        return () -> {
            device.await();
            return stock.get();
        };
    }

    /** Whether batch normalization has put the step of its running deviation's logarithm into a BF16 gradient. */
    private static boolean isStepOfLogarithm(INDArray z) {
        return ExactSums.isPartOfGradient(z)
                && CallStack.innermostOf("org.deeplearning4j.nn.")
                        .filter("org.deeplearning4j.nn.layers.normalization.BatchNormalization"::equals)
                        .isPresent();
    }

    private boolean shortens(Op op, OpContext context, INDArray x, INDArray y, INDArray z, Supplier<INDArray> stock) {
        if (shortcuts.isEmpty() || !Bf16Arrays.isBFloat16(x)) {
            return false;
        }
        long start = executioner.profilingConfigurableHookIn(op);
        boolean done = false;
        for (int i = 0; i < shortcuts.size() && !done; i++) {
            done = shortcuts.get(i).run(op, context, x, y, z, stock);
        }
        if (done) {
            executioner.profilingConfigurableHookOut(op, context, start);
        }
        return done;
    }

    private INDArray copy(Op op, OpContext context, INDArray source, INDArray target, Supplier<INDArray> stock) {
        long start = executioner.profilingConfigurableHookIn(op);
        if (target == null || !device.copy(source, target)) {
            return stock.get();
        }
        RunningSums.copied(device, source, target);
        if (source.dataType() != target.dataType()) { // else the elements may be halves of FP32 values: no NaN check
            executioner.profilingConfigurableHookOut(op, context, start);
        }
        return target;
    }

    /** Runs a custom op on its own arguments. */
    public INDArray[] run(CustomOp op, Supplier<INDArray[]> stock) {
        return runs(op, null, op.inputArguments(), op.outputArguments())
                ? op.outputArguments().toArray(new INDArray[0])
                : waiting(stock).get();
    }

    /** Runs a custom op on its context's arguments. */
    public INDArray[] run(CustomOp op, OpContext context, Supplier<INDArray[]> stock) {
        List<INDArray> inputs = context.getInputArrays();
        List<INDArray> outputs = context.getOutputArrays();
        if (runs(op, context, inputs, outputs)) {
            return outputs.toArray(new INDArray[0]);
        }
        return switch (Treatment.of(op.opName(), inputs, outputs)) {
            case PROMOTED, MATMUL -> CustomPromotion.run(device, op, context, waiting(stock));
            default -> waiting(stock).get();
        };
    }

    /** The descriptors of a custom op's outputs. */
    public List<LongShapeDescriptor> shapes(
            CustomOp op, OpContext context, Supplier<List<LongShapeDescriptor>> ofStock) {
        Supplier<List<LongShapeDescriptor>> stock = waiting(ofStock);
        boolean ofContext = context != null && context.numInputArguments() > 0;
        return Bf16Arrays.anyBFloat16(ofContext ? context.getInputArrays() : op.inputArguments())
                ? CustomPromotion.shapes(device, op, context, stock)
                : stock.get();
    }

    /** Runs a scatter update; {@code stock} takes the array to be updated and the updates. */
    public void scatterUpdate(
            INDArray array, INDArray indices, INDArray updates, BiConsumer<INDArray, INDArray> stock) {
        if (!PendingSteps.isEmpty()) {
            PendingSteps.intercept(device, "scatterUpdate", List.of(indices, updates), List.of(array));
        }
        ExactSums.forget(array);
        try (var copies = new FloatCopies(device)) {
            INDArray target = copies.of(array);
            INDArray source = copies.of(updates);
            device.await();
            stock.accept(target, source);
            copies.writeBack(array);
        }
    }

    /** Runs the op if it is not ND4J's native code's to run, and returns whether it has. */
    private boolean runs(CustomOp op, OpContext context, List<INDArray> inputs, List<INDArray> outputs) {
        if (!PendingSteps.isEmpty() && PendingSteps.intercept(device, op.opName(), inputs, outputs)) {
            return true;
        }
        if (accumulates(op, context, inputs, outputs)) {
            return true;
        }
        if (!ExactSums.isEmpty()) {
            if (!RunningSums.KEPT_BY.contains(op.opName())) {
                ExactSums.forget(inputs);
            }
            ExactSums.forget(outputs);
        }
        if (op instanceof KernelOp kernelOp) {
            run(kernelOp, context);
            return true;
        }
        if (ForeignUpdates.take(device, op.opName(), inputs, outputs) || shortens(op, context, inputs, outputs)) {
            return true;
        }
        return switch (Treatment.of(op.opName(), inputs, outputs)) {
            case COPY -> copies(op, context, inputs, outputs);
            case MATMUL -> multiplies(op, context, inputs, outputs);
            case REFUSED -> throw refused(op.opName(), inputs);
            case BROKEN -> throw broken(op.opName(), inputs);
            default -> false;
        };
    }

    private void run(KernelOp op, OpContext context) {
        long start = executioner.profilingConfigurableHookIn(op, context);
        op.execute(device);
        device.written(op.outputArguments());
        executioner.profilingConfigurableHookOut(op, context, start);
    }

    /** {@code cast(x)} or {@code assign(target, x)}. */
    private boolean copies(CustomOp op, OpContext context, List<INDArray> inputs, List<INDArray> outputs) {
        if (outputs.isEmpty()) {
            return false;
        }
        long start = executioner.profilingConfigurableHookIn(op, context);
        INDArray source = inputs.get(inputs.size() - 1);
        INDArray target = outputs.get(0);
        boolean done = device.copy(source, target);
        if (done) {
            RunningSums.copied(device, source, target);
        }
        if (done && source.dataType() != target.dataType()) {
            executioner.profilingConfigurableHookOut(op, context, start);
        }
        return done;
    }

    private boolean multiplies(CustomOp op, OpContext context, List<INDArray> inputs, List<INDArray> outputs) {
        if (outputs.isEmpty()) {
            return false;
        }
        long start = executioner.profilingConfigurableHookIn(op, context);
        boolean done = matmul.run(op.opName(), inputs, outputs, integers(op, context), numbers(op, context));
        if (done) {
            executioner.profilingConfigurableHookOut(op, context, start);
        }
        return done;
    }

    /** {@code add}, or {@code matmul} with a beta of 1, to a gradient; what is a running sum. */
    private boolean accumulates(CustomOp op, OpContext context, List<INDArray> inputs, List<INDArray> outputs) {
        boolean sum = op.opName().equals("add") && ExactSums.isAddition(device, inputs, outputs);
        boolean product = op.opName().equals("matmul")
                && outputs.size() == 1
                && ExactSums.isPartOfGradient(outputs.get(0))
                && isAdded(numbers(op, context));
        boolean scaling = op.opName().equals("multiply") && RunningSums.isScaling(device, inputs, outputs);
        if (!sum && !product && !scaling) {
            return false;
        }
        long start = executioner.profilingConfigurableHookIn(op, context);
        boolean done = true;
        if (sum) {
            ExactSums.axpy(device, inputs.get(1), outputs.get(0), 1);
        } else if (scaling) {
            RunningSums.scale(device, outputs.get(0), inputs.get(1));
        } else {
            long[] integers = integers(op, context);
            double[] numbers = numbers(op, context);
            done = ExactSums.accumulate(
                    device,
                    outputs.get(0),
                    target -> matmul.run(op.opName(), inputs, List.of(target), integers, numbers));
        }
        if (done) {
            executioner.profilingConfigurableHookOut(op, context, start);
        }
        return done;
    }

    private static boolean isAdded(double[] alphaAndBeta) {
        return alphaAndBeta.length > 1 && alphaAndBeta[1] == 1;
    }

    private boolean shortens(CustomOp op, OpContext context, List<INDArray> inputs, List<INDArray> outputs) {
        if (shortcuts.isEmpty() || outputs.isEmpty() || !Bf16Arrays.isBFloat16(outputs.get(0))) {
            return false;
        }
        long start = executioner.profilingConfigurableHookIn(op, context);
        double[] numbers = numbers(op, context);
        long[] integers = integers(op, context);
        boolean done = false;
        for (int i = 0; i < shortcuts.size() && !done; i++) {
            done = shortcuts.get(i).run(op.opName(), inputs, outputs, integers, numbers);
        }
        if (done) {
            executioner.profilingConfigurableHookOut(op, context, start);
        }
        return done;
    }

    private static long[] integers(CustomOp op, OpContext context) {
        return context == null
                ? op.iArgs()
                : context.getIArguments().stream().mapToLong(i -> i).toArray();
    }

    private static double[] numbers(CustomOp op, OpContext context) {
        return context == null
                ? op.tArgs()
                : context.getTArguments().stream().mapToDouble(t -> t).toArray();
    }

    /** Runs {@code check}, which throws on NaN or infinity, and has it say which op's operands or results hold it. */
    public void naming(String op, Runnable check) {
        try {
            check.run();
        } catch (ND4JOpProfilerException e) {
            throw new ND4JOpProfilerException("Op " + op + ": " + e.getMessage());
        }
    }

    /** Throws if any of the arrays of a graph that runs within the native library is BF16. */
    public void refuseGraph(Map<String, INDArray> arrays) {
        arrays.forEach((name, array) -> {
            if (Bf16Arrays.isBFloat16(array)) {
                throw new UnsupportedOperationException("A graph within ND4J's native library cannot run on BFLOAT16 "
                        + "arrays, got variable " + name + "; run it from Java, op by op, or in FLOAT");
            }
        });
    }

    private static UnsupportedOperationException refused(String op, List<INDArray> operands) {
        return new UnsupportedOperationException("Op " + op + " cannot run on BFLOAT16 arrays, got " + types(operands)
                + "; cast them to FLOAT and back around it");
    }

    private static UnsupportedOperationException broken(String op, List<INDArray> operands) {
        return new UnsupportedOperationException("Op " + op + " corrupts memory or ends the process, in FLOAT, too, "
                + "got " + types(operands) + "; use other ops");
    }

    private static List<String> types(List<INDArray> arrays) {
        return arrays.stream()
                .filter(Objects::nonNull)
                .map(array -> array.dataType().name())
                .toList();
    }
}
