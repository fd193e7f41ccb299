package org.dl4jsr.backend;

import java.util.List;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * ND4J's ops on windows of images, where all operands are BF16, on {@link ArrayKernels}: the same bits as by their
 * {@link Treatment}, without its FLOAT copies.
 */
final class WindowShortcuts implements Shortcut {

    private final CpuDevice device;

    WindowShortcuts(CpuDevice device) {
        this.device = device;
    }

    @Override
    public boolean run(String op, List<INDArray> inputs, List<INDArray> outputs, long[] integers, double[] numbers) {
        return Bf16Arrays.allBFloat16(inputs)
                && Bf16Arrays.allBFloat16(outputs)
                && switch (op) {
                    case "im2col" -> im2col(inputs.get(0), outputs.get(0), integers, numbers);
                    case "col2im" -> col2im(inputs.get(0), outputs.get(0), integers);
                    case "maxpool2d" -> maxPool(inputs.get(0), outputs.get(0), integers);
                    case "maxpool2d_bp" -> maxPoolGradient(inputs.get(0), inputs.get(1), outputs.get(0), integers);
                    case "avgpool2d" -> averagePool(inputs.get(0), outputs.get(0), integers);
                    case "avgpool2d_bp" -> averagePoolGradient(inputs.get(1), outputs.get(0), integers);
                    default -> false;
                };
    }

    private boolean im2col(INDArray image, INDArray columns, long[] integers, double[] numbers) {
        boolean zeros = numbers.length == 0 || numbers[0] == 0;
        boolean plain = zeros && integers.length >= 8 && image.rank() == 4 && columns.rank() == 6;
        if (plain) {
            device.arrays().im2col(strided(image), strided(columns), window(integers));
        }
        return plain;
    }

    private boolean col2im(INDArray columns, INDArray image, long[] integers) {
        boolean plain = integers.length >= 8 && columns.rank() == 6 && image.rank() == 4;
        if (plain) {
            device.arrays()
                    .col2im(
                            strided(columns),
                            strided(image),
                            new Window(
                                    columns.size(2),
                                    columns.size(3),
                                    integers[0],
                                    integers[1],
                                    integers[2],
                                    integers[3],
                                    integers[6],
                                    integers[7]));
        }
        return plain;
    }

    private boolean maxPool(INDArray in, INDArray out, long[] integers) {
        boolean plain = isPooling(integers, in, out);
        if (plain) {
            StridedArray x = channelsFirst(in, integers);
            StridedArray y = channelsFirst(out, integers);
            device.arrays().maxPool(x, y, poolingWindow(integers, x, y));
        }
        return plain;
    }

    private boolean maxPoolGradient(INDArray in, INDArray gradient, INDArray out, long[] integers) {
        boolean plain = isPooling(integers, in, gradient);
        if (plain) {
            StridedArray x = channelsFirst(in, integers);
            StridedArray dy = channelsFirst(gradient, integers);
            device.arrays().maxPoolGradient(x, dy, channelsFirst(out, integers), poolingWindow(integers, x, dy));
        }
        return plain;
    }

    private boolean averagePool(INDArray in, INDArray out, long[] integers) {
        boolean plain = isAveraging(integers, in, out);
        if (plain) {
            StridedArray x = channelsFirst(in, integers);
            StridedArray y = channelsFirst(out, integers);
            device.arrays().averagePool(x, y, poolingWindow(integers, x, y), integers[9] == 1);
        }
        return plain;
    }

    private boolean averagePoolGradient(INDArray gradient, INDArray out, long[] integers) {
        boolean plain = isAveraging(integers, out, gradient);
        if (plain) {
            StridedArray dy = channelsFirst(gradient, integers);
            StridedArray dx = channelsFirst(out, integers);
            device.arrays().averagePoolGradient(dy, dx, poolingWindow(integers, dx, dy), integers[9] == 1);
        }
        return plain;
    }

    /** Of integer arguments that start with the window's sizes. */
    private static Window window(long[] integers) {
        return new Window(
                integers[0], integers[1], integers[2], integers[3], integers[4], integers[5], integers[6], integers[7]);
    }

    private static boolean isPooling(long[] integers, INDArray x, INDArray y) {
        return integers.length >= 9 && (integers[8] == 0 || integers[8] == 1) && x.rank() == 4 && y.rank() == 4;
    }

    /** Whether the tenth integer says if padding counts. */
    private static boolean isAveraging(long[] integers, INDArray x, INDArray y) {
        return integers.length >= 10 && (integers[9] == 0 || integers[9] == 1) && isPooling(integers, x, y);
    }

    /** [batch, channels, height, width] of a pooling's operand, which may have its channels last. */
    private StridedArray channelsFirst(INDArray image, long[] integers) {
        boolean last = integers.length > 10 && integers[10] == 1;
        return strided(last ? image.permute(0, 3, 1, 2) : image);
    }

    /** With the padding of mode "same", which such a pooling finds out itself. */
    private static Window poolingWindow(long[] integers, StridedArray x, StridedArray y) {
        return integers[8] == 0 ? window(integers) : same(window(integers), x, y);
    }

    /** {@code given} with the padding of mode "same" for images and results of these sizes. */
    static Window same(Window given, StridedArray x, StridedArray y) {
        return new Window(
                given.height(),
                given.width(),
                given.strideHeight(),
                given.strideWidth(),
                samePadding(x.rows(), y.rows(), given.height(), given.strideHeight(), given.dilationHeight()),
                samePadding(x.columns(), y.columns(), given.width(), given.strideWidth(), given.dilationWidth()),
                given.dilationHeight(),
                given.dilationWidth());
    }

    static long samePadding(long in, long out, long size, long stride, long dilation) {
        return ((out - 1) * stride + (size - 1) * dilation + 1 - in) / 2;
    }

    private StridedArray strided(INDArray array) {
        return KernelOp.strided(device, array);
    }
}
