package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;

/**
 * Runs a custom op with FLOAT copies in place of its BF16 operands. The arrays are exchanged within the op's context,
 * so that random state, in-place and other flags stay.
 */
final class CustomPromotion {

    /**
     * Ops whose shape function refuses BF16, loudly, which is found out by trying but for those already known; counts
     * results by computing in BF16; or asks for a result that the op then gets wrong, of FLOAT in 'f' order, or writes
     * beyond, of an operand in 'f' order.
     */
    private static final Set<String> SHAPES_BY_FLOAT = ConcurrentHashMap.newKeySet();

    static {
        SHAPES_BY_FLOAT.addAll(List.of(
                "relu_bp",
                "relu6_bp",
                "lrelu_bp",
                "elu_bp",
                "selu_bp",
                "sigmoid_bp",
                "hardsigmoid_bp",
                "tanh_bp",
                "hardtanh_bp",
                "rationaltanh_bp",
                "rectifiedtanh_bp",
                "softplus_bp",
                "softsign_bp",
                "cube_bp",
                "thresholdedrelu_bp",
                "tensordot",
                "tensormmul",
                "range",
                "lin_space",
                "non_max_suppression",
                "non_max_suppression_v3",
                "non_max_suppression_overlaps",
                "resize_area",
                "resize_bicubic",
                "resize_images",
                "dynamic_partition"));
    }

    /** Ops that write to their first input, whatever they are told. */
    private static final Set<String> WRITE_INPUTS = Set.of("scatter_update", "scatterupdate");

    /**
     * Ops that write rows by several threads, unless their first boolean argument tells them to lock: of a row that comes
     * more than once, as in the gradient of an embedding, they lose some values, now and then, in FLOAT, too.
     */
    private static final Set<String> LOCK_IF_TOLD = Set.of(
            "scatter_add",
            "ScatterAdd",
            "scatter_sub",
            "ScatterSub",
            "scatter_mul",
            "ScatterMul",
            "scatter_div",
            "ScatterDiv",
            "scatter_max",
            "ScatterMax",
            "scatter_min",
            "ScatterMin",
            "scatter_upd",
            "ScatterUpdate",
            "scatter_nd",
            "scatter_nd_add",
            "scatter_nd_sub",
            "scatter_nd_update");

    private CustomPromotion() {}

    /** Returns the outputs; {@code stock} runs the op natively. */
    static INDArray[] run(Device device, CustomOp op, OpContext context, Supplier<INDArray[]> stock) {
        List<INDArray> inputs = context.getInputArrays();
        List<INDArray> outputs = context.getOutputArrays();
        DataType[] types = context.getDArguments().toArray(new DataType[0]);
        if (LOCK_IF_TOLD.contains(op.opName())) {
            lock(context);
        }
        try (var copies = FloatCopies.inCOrder(device)) { // in 'f' order some of ND4J's ops are wrong, in FLOAT, too
            try {
                setInputs(context, inputs.stream().map(copies::of).toList());
                // with content: some ops write only a part of their output
                setOutputs(context, outputs.stream().map(copies::of).toList());
                context.setDArguments(promoted(types));
                var unused = stock.get(); // written to the outputs
            } finally {
                setInputs(context, inputs);
                setOutputs(context, outputs);
                context.setDArguments(types);
            }
            outputs.forEach(copies::writeBack);
            if (op.isInplaceCall() || WRITE_INPUTS.contains(op.opName())) {
                inputs.forEach(copies::writeBack);
            }
        }
        return outputs.toArray(new INDArray[0]);
    }

    /** The descriptors of the op's outputs; {@code stock} asks its native shape function. */
    static List<LongShapeDescriptor> shapes(
            Device device, CustomOp op, OpContext context, Supplier<List<LongShapeDescriptor>> stock) {
        boolean ofContext = context != null && context.numInputArguments() > 0;
        if (MixedOperands.are(op.opName(), ofContext ? context.getInputArrays() : op.inputArguments())) {
            return shapesOfFloat(device, op, context, stock);
        }
        if (!SHAPES_BY_FLOAT.contains(op.opName())) {
            try {
                return stock.get();
            } catch (RuntimeException e) {
                List<LongShapeDescriptor> shapes = shapesByFloat(device, op, context, stock);
                SHAPES_BY_FLOAT.add(op.opName());
                return shapes;
            }
        }
        return shapesByFloat(device, op, context, stock);
    }

    private static List<LongShapeDescriptor> shapesByFloat(
            Device device, CustomOp op, OpContext context, Supplier<List<LongShapeDescriptor>> stock) {
        return shapesOfFloat(device, op, context, stock).stream()
                .map(shape -> shape.dataType() == DataType.FLOAT ? shape.asDataType(DataType.BFLOAT16) : shape)
                .toList();
    }

    /** The descriptors of the outputs that FLOAT copies of the operands have. */
    private static List<LongShapeDescriptor> shapesOfFloat(
            Device device, CustomOp op, OpContext context, Supplier<List<LongShapeDescriptor>> stock) {
        boolean ofContext = context != null && context.numInputArguments() > 0;
        List<INDArray> inputs = ofContext ? context.getInputArrays() : List.copyOf(op.inputArguments());
        try (var copies = FloatCopies.inCOrder(device)) {
            setShapeInputs(
                    op,
                    ofContext ? context : null,
                    inputs.stream().map(copies::of).toList());
            return stock.get();
        } finally {
            setShapeInputs(op, ofContext ? context : null, inputs);
        }
    }

    private static void setShapeInputs(CustomOp op, OpContext context, List<INDArray> inputs) {
        if (context != null) {
            setInputs(context, inputs);
            return;
        }
        for (int i = 0; i < inputs.size(); i++) {
            ((DynamicCustomOp) op).setInputArgument(i, inputs.get(i));
        }
    }

    private static void setInputs(OpContext context, List<INDArray> arrays) {
        for (int i = 0; i < arrays.size(); i++) {
            if (context.getInputArray(i) != arrays.get(i)) {
                context.setInputArray(i, arrays.get(i));
            }
        }
    }

    private static void setOutputs(OpContext context, List<INDArray> arrays) {
        for (int i = 0; i < arrays.size(); i++) {
            if (context.getOutputArray(i) != arrays.get(i)) {
                context.setOutputArray(i, arrays.get(i));
            }
        }
    }

    private static void lock(OpContext context) {
        List<Boolean> given = context.getBArguments();
        boolean[] flags = new boolean[Math.max(given.size(), 1)];
        for (int i = 0; i < flags.length; i++) {
            flags[i] = i == 0 || given.get(i);
        }
        context.setBArguments(flags);
    }

    private static DataType[] promoted(DataType[] types) {
        return Arrays.stream(types)
                .map(type -> type == DataType.BFLOAT16 ? DataType.FLOAT : type)
                .toArray(DataType[]::new);
    }
}
