package org.dl4jsr.backend;

import static java.util.Map.entry;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BroadcastOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.ops.executioner.DefaultOpExecutioner;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Arithmetic and functions of one value on {@link ArrayKernels}, where all operands are BF16: the same bits as by their
 * {@link Treatment}, without its FLOAT copies and faster than ND4J's BF16 code.
 */
final class ElementwiseShortcuts implements Shortcut {

    private static final Map<String, Arithmetic> ARITHMETIC = Map.ofEntries(
            entry("add", Arithmetic.ADD),
            entry("subtract", Arithmetic.SUBTRACT),
            entry("multiply", Arithmetic.MULTIPLY),
            entry("divide", Arithmetic.DIVIDE),
            entry("reversesubtract", Arithmetic.REVERSE_SUBTRACT),
            entry("reversedivide", Arithmetic.REVERSE_DIVIDE),
            entry("add_scalar", Arithmetic.ADD),
            entry("sub_scalar", Arithmetic.SUBTRACT),
            entry("mul_scalar", Arithmetic.MULTIPLY),
            entry("div_scalar", Arithmetic.DIVIDE),
            entry("rsub_scalar", Arithmetic.REVERSE_SUBTRACT),
            entry("rdiv_scalar", Arithmetic.REVERSE_DIVIDE),
            entry("broadcastadd", Arithmetic.ADD),
            entry("broadcastsub", Arithmetic.SUBTRACT),
            entry("broadcastmul", Arithmetic.MULTIPLY),
            entry("broadcastdiv", Arithmetic.DIVIDE),
            entry("relu", Arithmetic.MAXIMUM));

    /** Functions of one value, and of a scalar if they are scalar ops. */
    private static final Set<String> FUNCTIONS = Set.of(
            "relu6",
            "leakyrelu",
            "tanh",
            "sigmoid",
            "gelu",
            "precise_gelu",
            "swish",
            "mish",
            "selu",
            "softplus",
            "softsign",
            "hardtanh",
            "hard_sigmoid",
            "rational_tanh",
            "rectified_tanh",
            "cube",
            "_geluderivative",
            "_precise_geluderivative",
            "_swishderivative",
            "_mishderivative",
            "timesoneminus",
            "oneminus",
            "exp",
            "log",
            "sqrt",
            "square",
            "sign",
            "pow");

    /** Ops dx(x, dy) = dy f(x). */
    private static final Set<String> SLOPES =
            Set.of("tanh_bp", "lrelu_bp", "hardtanh_bp", "hardsigmoid_bp", "sigmoid_bp", "softplus_bp", "cube_bp");

    /** Ops dx(x, dy) = dy or 0. */
    private static final Set<String> GATES = Set.of("relu_bp");

    private final FunctionTables tables = new FunctionTables();
    private final DefaultOpExecutioner executioner;
    private final CpuDevice device;

    ElementwiseShortcuts(DefaultOpExecutioner executioner, CpuDevice device) {
        this.executioner = executioner;
        this.device = device;
    }

    @Override
    public boolean run(Op op, OpContext context, INDArray x, INDArray y, INDArray z, Supplier<INDArray> stock) {
        if (!suits(x) || !suits(z) || !Arrays.equals(x.shape(), z.shape()) || hasArguments(op)) {
            return false;
        }
        Arithmetic operation = ARITHMETIC.get(op.opName());
        if (operation == null) {
            return FUNCTIONS.contains(op.opName()) && y == null && lookUp(op, context, x, z, stock);
        }
        if (op instanceof ScalarOp scalarOp && scalarOp.dimensions() == null) {
            device.arrays().arithmetic(operation, strided(x), scalarOp.scalar().getFloat(0), strided(z));
            return true;
        }
        StridedArray second = suits(y) ? broadcast(op, x, y) : null;
        if (second != null) {
            device.arrays().arithmetic(operation, strided(x), second, strided(z));
        }
        return second != null;
    }

    /** The y of an op of the old kind with the shape of x, or null. */
    private StridedArray broadcast(Op op, INDArray x, INDArray y) {
        if (op instanceof BroadcastOp broadcastOp) {
            return broadcast(y, x.shape(), broadcastOp.dimensions().toIntVector());
        }
        int[] along = op instanceof ScalarOp scalarOp ? scalarOp.dimensions().toIntVector() : new int[0];
        return along.length == 1 && x.rank() == 2 // a number for each row or column
                ? broadcast(y, x.shape(), new int[] {1 - Math.floorMod(along[0], 2)})
                : null;
    }

    private static boolean hasArguments(Op op) {
        return op.extraArgs() != null && op.extraArgs().length > 0;
    }

    private boolean lookUp(Op op, OpContext context, INDArray x, INDArray z, Supplier<INDArray> stock) {
        INDArray scalar = op instanceof ScalarOp scalarOp ? scalarOp.scalar() : null;
        List<Double> arguments = scalar == null ? List.of() : List.of(scalar.getDouble(0));
        INDArray table = tables.get(op.opName(), arguments, DataType.BFLOAT16, values -> {
            INDArray results = values.ulike();
            try {
                executioner.setX(values, op, context);
                executioner.setZ(results, op, context);
                if (scalar != null) {
                    ((ScalarOp) op).setScalar(Nd4j.scalar(DataType.FLOAT, scalar.getDouble(0)));
                }
                var unused = stock.get(); // written to the outputs
            } finally {
                executioner.setX(x, op, context);
                executioner.setZ(z, op, context);
                if (scalar != null) {
                    ((ScalarOp) op).setScalar(scalar);
                }
            }
            return results;
        });
        if (table != null) {
            device.arrays().lookUp(device.address(table), strided(x), strided(z));
        }
        return table != null;
    }

    @Override
    public boolean run(String op, List<INDArray> inputs, List<INDArray> outputs, long[] integers, double[] numbers) {
        if (inputs.size() != 2 || outputs.size() != 1) {
            return false;
        }
        INDArray a = inputs.get(0);
        INDArray b = inputs.get(1);
        INDArray out = outputs.get(0);
        if (!suits(a) || !suits(b) || !suits(out)) {
            return false;
        }
        Arithmetic operation = ARITHMETIC.get(op);
        if (operation != null) {
            StridedArray left = strided(a).broadcastTo(out.shape());
            StridedArray right = strided(b).broadcastTo(out.shape());
            boolean broadcasts = left != null && right != null;
            if (broadcasts) {
                device.arrays().arithmetic(operation, left, right, strided(out));
            }
            return broadcasts;
        }
        if (op.equals("relu_bp") && Arrays.stream(numbers).allMatch(threshold -> threshold == 0)) {
            boolean alike = Arrays.equals(a.shape(), out.shape()) && Arrays.equals(b.shape(), out.shape());
            if (alike) {
                device.arrays().arithmetic(Arithmetic.GATE, strided(a), strided(b), strided(out));
            }
            return alike;
        }
        return (SLOPES.contains(op) || GATES.contains(op))
                && Arrays.equals(a.shape(), out.shape())
                && Arrays.equals(b.shape(), out.shape())
                && multiplySlope(op, a, b, out, numbers);
    }

    private boolean multiplySlope(String op, INDArray x, INDArray dy, INDArray dx, double[] numbers) {
        INDArray table = tables.get(op, Arrays.stream(numbers).boxed().toList(), DataType.FLOAT, values -> {
            INDArray results = values.ulike();
            try (INDArray ones = Nd4j.onesLike(values)) {
                Nd4j.exec(DynamicCustomOp.builder(op)
                        .addInputs(values, ones)
                        .addOutputs(results)
                        .addFloatingPointArguments(
                                Arrays.stream(numbers).boxed().toArray(Double[]::new))
                        .build());
            }
            return results;
        });
        if (table != null) {
            device.arrays()
                    .multiplyLookUp(device.address(table), GATES.contains(op), strided(x), strided(dy), strided(dx));
        }
        return table != null;
    }

    private static boolean suits(INDArray array) {
        return Bf16Arrays.isBFloat16(array) && !array.isEmpty();
    }

    private StridedArray strided(INDArray array) {
        return KernelOp.strided(device, array);
    }

    /** {@code array}, whose dimensions are those of {@code shape} that are listed, with this shape; or null. */
    private StridedArray broadcast(INDArray array, long[] shape, int[] dimensions) {
        StridedArray given = KernelOp.strided(device, array).squeezed();
        int[] kept = Arrays.stream(dimensions)
                .map(d -> Math.floorMod(d, shape.length))
                .sorted()
                .filter(d -> shape[d] != 1)
                .toArray();
        if (kept.length != given.shape().length) {
            return null;
        }
        long[] strides = new long[shape.length];
        for (int i = 0; i < kept.length; i++) {
            if (given.shape()[i] != shape[kept[i]]) {
                return null;
            }
            strides[kept[i]] = given.strides()[i];
        }
        return new StridedArray(given.type(), given.address(), shape, strides);
    }
}
