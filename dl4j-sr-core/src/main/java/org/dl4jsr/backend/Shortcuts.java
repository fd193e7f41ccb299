package org.dl4jsr.backend;

import static java.util.Map.entry;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.Convolution;
import org.dl4jsr.kernel.Matrix;
import org.dl4jsr.kernel.Window;
import org.dl4jsr.op.Device;
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
 * Ops that {@link ArrayKernels} carries out where all operands are BF16: the same bits as by their {@link Treatment},
 * without its FLOAT copies and faster than ND4J's BF16 code. Convolutions, by {@link Convolution}, sum in an order of
 * their own.
 */
final class Shortcuts {

    private static final Map<String, Arithmetic> ARITHMETIC = Map.ofEntries(
            entry("add", Arithmetic.ADD), entry("subtract", Arithmetic.SUBTRACT),
            entry("multiply", Arithmetic.MULTIPLY), entry("divide", Arithmetic.DIVIDE),
            entry("reversesubtract", Arithmetic.REVERSE_SUBTRACT), entry("reversedivide", Arithmetic.REVERSE_DIVIDE),
            entry("add_scalar", Arithmetic.ADD), entry("sub_scalar", Arithmetic.SUBTRACT),
            entry("mul_scalar", Arithmetic.MULTIPLY), entry("div_scalar", Arithmetic.DIVIDE),
            entry("rsub_scalar", Arithmetic.REVERSE_SUBTRACT), entry("rdiv_scalar", Arithmetic.REVERSE_DIVIDE),
            entry("broadcastadd", Arithmetic.ADD), entry("broadcastsub", Arithmetic.SUBTRACT),
            entry("broadcastmul", Arithmetic.MULTIPLY), entry("broadcastdiv", Arithmetic.DIVIDE));

    /** Functions of one value, and of a scalar if they are scalar ops. */
    private static final Set<String> FUNCTIONS = Set.of(
            "relu", "relu6", "leakyrelu", "tanh", "sigmoid", "gelu", "precise_gelu", "swish", "mish", "selu",
            "softplus", "softsign", "hardtanh", "hard_sigmoid", "rational_tanh", "rectified_tanh", "cube",
            "_geluderivative", "_precise_geluderivative", "_swishderivative", "_mishderivative",
            "timesoneminus", "oneminus", "exp", "log", "sqrt", "square", "pow");

    /** Ops dx(x, dy) = dy f(x). */
    private static final Set<String> SLOPES = Set.of(
            "tanh_bp", "lrelu_bp", "hardtanh_bp", "hardsigmoid_bp", "sigmoid_bp", "softplus_bp", "cube_bp");

    /** Ops dx(x, dy) = dy or 0. */
    private static final Set<String> GATES = Set.of("relu_bp");

    private final FunctionTables tables = new FunctionTables();
    private final DefaultOpExecutioner executioner;
    private final Device device;
    private final ArrayKernels kernels;

    Shortcuts(DefaultOpExecutioner executioner, Device device, ArrayKernels kernels) {
        this.executioner = executioner;
        this.device = device;
        this.kernels = kernels;
    }

    /**
     * Runs an op of the old kind if there is a way.
     *
     * @param stock ND4J's code
     * @return whether it has been done
     */
    boolean run(Op op, OpContext context, INDArray x, INDArray y, INDArray z, Supplier<INDArray> stock) {
        if (!suits(x) || !suits(z) || !Arrays.equals(x.shape(), z.shape()) || hasArguments(op)) {
            return false;
        }
        Arithmetic operation = ARITHMETIC.get(op.opName());
        Matrix second = null;
        if (op instanceof BroadcastOp broadcastOp) {
            second = operation == null || !suits(y)
                    ? null
                    : broadcast(y, x.shape(), broadcastOp.dimensions().toIntVector());
        } else if (op instanceof ScalarOp scalarOp && scalarOp.dimensions() != null) {
            // a number for each vector along one of a matrix's two dimensions
            int[] along = scalarOp.dimensions().toIntVector();
            second = operation == null || !suits(y) || x.rank() != 2 || along.length != 1
                    ? null
                    : broadcast(y, x.shape(), new int[] {1 - Math.floorMod(along[0], 2)});
        } else if (op instanceof ScalarOp scalarOp && operation != null) {
            kernels.arithmetic(operation, matrix(x), scalarOp.scalar().getFloat(0), matrix(z));
            return true;
        } else {
            return FUNCTIONS.contains(op.opName()) && y == null && lookUp(op, context, x, z, stock);
        }
        if (second != null) {
            kernels.arithmetic(operation, matrix(x), second, matrix(z));
        }
        return second != null;
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
                stock.get();
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
            kernels.lookUp(device.address(table), matrix(x), matrix(z));
        }
        return table != null;
    }

    /**
     * Runs a custom op if there is a way.
     *
     * @param integers its integer arguments
     * @param numbers its floating point arguments
     * @return whether it has been done
     */
    boolean run(String op, List<INDArray> inputs, List<INDArray> outputs, long[] integers, double[] numbers) {
        if (!Stream.concat(inputs.stream(), outputs.stream()).allMatch(Shortcuts::suits)) {
            return false;
        }
        if (op.equals("conv1d") || op.equals("conv1d_bp")) {
            return convolve(op.endsWith("_bp"), inputs, outputs, integers);
        }
        if (outputs.size() != 1) {
            return false;
        }
        INDArray out = outputs.get(0);
        return switch (inputs.size()) {
            case 1 -> runUnary(op, inputs.get(0), out, integers, numbers);
            case 2 -> runBinary(op, inputs.get(0), inputs.get(1), out, integers, numbers);
            default -> false;
        };
    }

    private boolean runUnary(String op, INDArray in, INDArray out, long[] integers, double[] numbers) {
        switch (op) {
            case "im2col" -> {
                boolean zeros = numbers.length == 0 || numbers[0] == 0;
                if (!zeros || integers.length < 8 || in.rank() != 4 || out.rank() != 6) {
                    return false;
                }
                kernels.im2col(matrix(in), matrix(out), window(integers));
            }
            case "col2im" -> {
                if (integers.length < 8 || in.rank() != 6 || out.rank() != 4) {
                    return false;
                }
                kernels.col2im(matrix(in), matrix(out), new Window(in.size(2), in.size(3), integers[0], integers[1],
                        integers[2], integers[3], integers[6], integers[7]));
            }
            case "maxpool2d" -> {
                if (!isPooling(integers, in, out)) {
                    return false;
                }
                Matrix x = channelsFirst(in, integers);
                Matrix y = channelsFirst(out, integers);
                kernels.maxPool(x, y, poolingWindow(integers, x, y));
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean runBinary(String op, INDArray a, INDArray b, INDArray out, long[] integers, double[] numbers) {
        Arithmetic operation = ARITHMETIC.get(op);
        if (operation != null) {
            Matrix left = broadcast(a, out.shape());
            Matrix right = broadcast(b, out.shape());
            if (left != null && right != null) {
                kernels.arithmetic(operation, left, right, matrix(out));
                return true;
            }
        } else if ((SLOPES.contains(op) || GATES.contains(op)) && Arrays.equals(a.shape(), out.shape())
                && Arrays.equals(b.shape(), out.shape())) {
            return multiplySlope(op, a, b, out, numbers);
        } else if (op.equals("maxpool2d_bp") && isPooling(integers, a, b)) {
            Matrix x = channelsFirst(a, integers);
            Matrix dy = channelsFirst(b, integers);
            kernels.maxPoolGradient(x, dy, channelsFirst(out, integers), poolingWindow(integers, x, dy));
            return true;
        }
        return false;
    }

    private boolean multiplySlope(String op, INDArray x, INDArray dy, INDArray dx, double[] numbers) {
        INDArray table = tables.get(op, Arrays.stream(numbers).boxed().toList(), DataType.FLOAT, values -> {
            INDArray results = values.ulike();
            try (INDArray ones = Nd4j.onesLike(values)) {
                Nd4j.exec(DynamicCustomOp.builder(op).addInputs(values, ones).addOutputs(results)
                        .addFloatingPointArguments(Arrays.stream(numbers).boxed().toArray(Double[]::new)).build());
            }
            return results;
        });
        if (table != null) {
            kernels.multiplyLookUp(device.address(table), GATES.contains(op), matrix(x), matrix(dy), matrix(dx));
        }
        return table != null;
    }

    /**
     * One-dimensional convolution of [batch, channels, width] by weights [window, channels in, channels out], forward
     * or backward: as a convolution of images of one row. The sums' order is ours.
     */
    private boolean convolve(boolean backward, List<INDArray> inputs, List<INDArray> outputs, long[] integers) {
        INDArray x = inputs.get(0);
        INDArray weights = inputs.get(1);
        INDArray y = backward ? inputs.get(inputs.size() - 1) : outputs.get(0);
        boolean hasBias = inputs.size() == (backward ? 4 : 3);
        boolean plain = (integers.length == 5 || integers.length == 6 && integers[5] == 0) && integers[4] < 2;
        if (!plain || x.rank() != 3 || !KernelOp.isDense(weights) || !KernelOp.isDense(y)) {
            return false;
        }
        long padding = integers[4] == 0
                ? integers[2]
                : samePadding(x.size(2), y.size(2), integers[0], integers[1], integers[3]);
        var window = new Window(1, integers[0], 1, integers[1], 0, padding, 1, integers[3]);
        if (!backward) {
            Convolution.get().forward(asImage(x), withHeight(weights), hasBias ? row(inputs.get(2)) : null, asImage(y),
                    window);
            return true;
        }
        INDArray dWeights = outputs.get(1);
        INDArray dBias = hasBias ? outputs.get(2) : null;
        if (!KernelOp.isDense(dWeights) || dBias != null && !KernelOp.isDense(dBias)) {
            return false;
        }
        Convolution.get().backward(asImage(x), withHeight(weights), asImage(y), asImage(outputs.get(0)),
                withHeight(dWeights), hasBias ? row(dBias) : null, window);
        return true;
    }

    /** [batch, channels, width] as [batch, channels, 1, width]. */
    private Matrix asImage(INDArray sequence) {
        Matrix m = matrix(sequence);
        return new Matrix(m.type(), m.address(), new long[] {m.shape()[0], m.shape()[1], 1, m.shape()[2]},
                new long[] {m.strides()[0], m.strides()[1], 0, m.strides()[2]});
    }

    /** [window, in, out] as [1, window, in, out]. */
    private Matrix withHeight(INDArray weights) {
        Matrix m = matrix(weights);
        return new Matrix(m.type(), m.address(), new long[] {1, m.shape()[0], m.shape()[1], m.shape()[2]},
                new long[] {0, m.strides()[0], m.strides()[1], m.strides()[2]});
    }

    private Matrix row(INDArray bias) {
        Matrix m = matrix(bias);
        long stride = m.strides()[m.strides().length - 1];
        return new Matrix(m.type(), m.address(), new long[] {1, bias.length()}, new long[] {bias.length(), stride});
    }

    /** Of integer arguments that start with the window's sizes. */
    private static Window window(long[] integers) {
        return new Window(integers[0], integers[1], integers[2], integers[3], integers[4], integers[5], integers[6],
                integers[7]);
    }

    private static boolean isPooling(long[] integers, INDArray x, INDArray y) {
        return integers.length >= 9 && (integers[8] == 0 || integers[8] == 1) && x.rank() == 4 && y.rank() == 4;
    }

    /** [batch, channels, height, width] of a pooling's operand, which may have its channels last. */
    private Matrix channelsFirst(INDArray image, long[] integers) {
        boolean last = integers.length > 10 && integers[10] == 1;
        return matrix(last ? image.permute(0, 3, 1, 2) : image);
    }

    /** With the padding of mode "same", which such a pooling finds out itself. */
    private static Window poolingWindow(long[] integers, Matrix x, Matrix y) {
        Window given = window(integers);
        if (integers[8] == 0) {
            return given;
        }
        return new Window(given.height(), given.width(), given.strideHeight(), given.strideWidth(),
                samePadding(x.rows(), y.rows(), given.height(), given.strideHeight(), given.dilationHeight()),
                samePadding(x.columns(), y.columns(), given.width(), given.strideWidth(), given.dilationWidth()),
                given.dilationHeight(), given.dilationWidth());
    }

    private static long samePadding(long in, long out, long size, long stride, long dilation) {
        return ((out - 1) * stride + (size - 1) * dilation + 1 - in) / 2;
    }

    private static boolean suits(INDArray array) {
        return Bf16Arrays.isBFloat16(array) && !array.isEmpty();
    }

    private Matrix matrix(INDArray array) {
        return Bf16Arrays.matrix(device, array);
    }

    /** {@code array} with the shape it broadcasts to by the rules of NumPy, or null. */
    private Matrix broadcast(INDArray array, long[] shape) {
        Matrix given = matrix(array);
        int missing = shape.length - array.rank();
        if (missing < 0) {
            return null;
        }
        long[] strides = new long[shape.length];
        for (int i = missing; i < shape.length; i++) {
            long size = given.shape()[i - missing];
            if (size == shape[i]) {
                strides[i] = given.strides()[i - missing];
            } else if (size != 1) {
                return null;
            }
        }
        return new Matrix(given.type(), given.address(), shape, strides);
    }

    /** {@code array}, whose dimensions are those of {@code shape} that are listed, with this shape; or null. */
    private Matrix broadcast(INDArray array, long[] shape, int[] dimensions) {
        Matrix given = Bf16Arrays.squeezed(device, array);
        int[] kept = Arrays.stream(dimensions).map(d -> Math.floorMod(d, shape.length)).sorted()
                .filter(d -> shape[d] != 1).toArray();
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
        return new Matrix(given.type(), given.address(), shape, strides);
    }
}
