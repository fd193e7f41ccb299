package org.dl4jsr.backend;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jsr.kernel.Convolution;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * ND4J's ops for convolutions of volumes, and for transposed convolutions of images and of volumes, where all operands
 * are BF16 and the device's {@link Convolution} runs them. It sums in an order of its own.
 */
final class VolumeShortcuts implements Shortcut {

    private final CpuDevice device;

    VolumeShortcuts(CpuDevice device) {
        this.device = device;
    }

    @Override
    public boolean run(String op, List<INDArray> inputs, List<INDArray> outputs, long[] integers, double[] numbers) {
        return switch (op) {
            case "conv3dnew" -> forward(new Kind(3, false, integers), inputs, outputs);
            case "conv3dnew_bp" -> backward(new Kind(3, false, integers), inputs, outputs);
            case "deconv2d" -> forward(new Kind(2, true, integers), inputs, outputs);
            case "deconv2d_bp" -> backward(new Kind(2, true, integers), inputs, outputs);
            case "deconv3d" -> forward(new Kind(3, true, integers), inputs, outputs);
            case "deconv3d_bp" -> backward(new Kind(3, true, integers), inputs, outputs);
            default -> false;
        };
    }

    /**
     * What an op is told.
     *
     * @param dimensions of an image or a volume
     * @param integers sizes, strides, paddings and dilations of the window, mode, 1 for channels last, and 0 for weights
     *     [..., channels, channels]
     */
    private record Kind(int dimensions, boolean transposed, long[] integers) {

        boolean isUsual() {
            int mode = 4 * dimensions;
            return integers.length > mode
                    && integers[mode] < 2
                    && (integers.length <= mode + 2 || integers[mode + 2] == 0)
                    && IntStream.range(0, dimensions)
                            .allMatch(i -> integers[dimensions + i] > 0 && integers[3 * dimensions + i] > 0);
        }

        boolean isSame() {
            return integers[4 * dimensions] == 1;
        }

        boolean hasChannelsLast() {
            int at = 4 * dimensions + 1;
            return integers.length > at && integers[at] == 1;
        }
    }

    /** What a convolution reads and writes, with channels first. */
    private record Call(Convolution convolution, StridedArray x, StridedArray weights, StridedArray y, Window window) {}

    private boolean forward(Kind kind, List<INDArray> inputs, List<INDArray> outputs) {
        Call call = call(kind, inputs, outputs, outputs.get(0));
        if (call == null) {
            return false;
        }
        StridedArray bias = inputs.size() > 2 ? strided(inputs.get(2)).asRow() : null;
        call.convolution.forward(call.x, call.weights, bias, call.y, call.window);
        return true;
    }

    private boolean backward(Kind kind, List<INDArray> inputs, List<INDArray> outputs) {
        Call call = call(kind, inputs, outputs, inputs.get(inputs.size() - 1));
        boolean hasBias = inputs.size() == 4;
        boolean suit = call != null
                && outputs.size() == inputs.size() - 1
                && IntStream.range(0, outputs.size())
                        .allMatch(i -> outputs.get(i).equalShapes(inputs.get(i)))
                && (!hasBias || KernelOp.isDense(outputs.get(2)));
        if (!suit) {
            return false;
        }
        call.convolution.backward(
                call.x,
                call.weights,
                call.y,
                channelsFirst(kind, outputs.get(0)),
                filters(kind, outputs.get(1)),
                hasBias ? strided(outputs.get(2)).asRow() : null,
                call.window);
        return true;
    }

    /** @param result of the convolution, or its gradient */
    private Call call(Kind kind, List<INDArray> inputs, List<INDArray> outputs, INDArray result) {
        Optional<Convolution> convolution = device.convolution();
        if (kind.transposed) {
            convolution = convolution.flatMap(Convolution::transposed);
        }
        int rank = kind.dimensions + 2;
        boolean suit = convolution.isPresent()
                && Bf16Arrays.allBFloat16(inputs)
                && Bf16Arrays.allBFloat16(outputs)
                && Stream.of(inputs.get(0), inputs.get(1), result).allMatch(array -> array.rank() == rank)
                && kind.isUsual();
        if (!suit) {
            return null;
        }
        StridedArray x = channelsFirst(kind, inputs.get(0));
        StridedArray weights = filters(kind, inputs.get(1));
        StridedArray y = channelsFirst(kind, result);
        boolean hasBias = inputs.size() == (result == outputs.get(0) ? 3 : 4);
        boolean agree = (!hasBias || inputs.get(2).length() == y.shape()[1])
                && x.shape()[0] == y.shape()[0]
                && x.shape()[1] == weights.shape()[1]
                && y.shape()[1] == weights.shape()[0];
        Window window = kind.transposed ? window(kind, y, x) : window(kind, x, y);
        return agree && window != null && convolution.get().runs(x, weights, y, window)
                ? new Call(convolution.get(), x, weights, y, window)
                : null;
    }

    /** The windows over {@code images}, one for each element of {@code positions}; null if they begin inside. */
    private static Window window(Kind kind, StridedArray images, StridedArray positions) {
        int dimensions = kind.dimensions;
        long[] integers = kind.integers;
        long[] padding = new long[dimensions];
        for (int i = 0; i < dimensions; i++) {
            padding[i] = kind.isSame()
                    ? WindowShortcuts.samePadding(
                            images.shape()[i + 2],
                            positions.shape()[i + 2],
                            integers[i],
                            integers[dimensions + i],
                            integers[3 * dimensions + i])
                    : integers[2 * dimensions + i];
            if (padding[i] < 0) {
                return null;
            }
        }
        int height = dimensions - 2;
        int width = dimensions - 1;
        return new Window(
                integers[height],
                integers[width],
                integers[dimensions + height],
                integers[dimensions + width],
                padding[height],
                padding[width],
                integers[3 * dimensions + height],
                integers[3 * dimensions + width],
                dimensions == 2
                        ? Window.Depth.OF_IMAGES
                        : new Window.Depth(integers[0], integers[3], padding[0], integers[9]));
    }

    /** [batch, channels, ...] of images or volumes that have their channels last where the op says so. */
    private StridedArray channelsFirst(Kind kind, INDArray images) {
        StridedArray given = strided(images);
        return kind.hasChannelsLast()
                ? permuted(
                        given,
                        IntStream.concat(
                                IntStream.of(0, kind.dimensions + 1), IntStream.rangeClosed(1, kind.dimensions)))
                : given;
    }

    /** Weights [..., in, out], or [..., out, in] of a transposed convolution, as [out, in, ...]. */
    private StridedArray filters(Kind kind, INDArray weights) {
        int first = kind.dimensions;
        IntStream channels = kind.transposed ? IntStream.of(first, first + 1) : IntStream.of(first + 1, first);
        return permuted(strided(weights), IntStream.concat(channels, IntStream.range(0, first)));
    }

    private static StridedArray permuted(StridedArray array, IntStream dimensions) {
        int[] order = dimensions.toArray();
        return new StridedArray(
                array.type(),
                array.address(),
                IntStream.of(order).mapToLong(i -> array.shape()[i]).toArray(),
                IntStream.of(order).mapToLong(i -> array.strides()[i]).toArray());
    }

    private StridedArray strided(INDArray array) {
        return KernelOp.strided(device, array);
    }
}
