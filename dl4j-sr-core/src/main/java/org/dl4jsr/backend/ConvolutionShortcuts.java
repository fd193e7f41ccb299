package org.dl4jsr.backend;

import java.util.List;
import org.dl4jsr.kernel.Convolution;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;
import org.dl4jsr.kernel.composed.GrowingMemory;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * ND4J's ops for one-dimensional, depthwise and separable convolutions, where all operands are BF16, on
 * {@link Convolution}, which sums in an order of its own.
 */
final class ConvolutionShortcuts implements Shortcut {

    private static final Window POINT = new Window(1, 1, 1, 1, 0, 0, 1, 1);

    private final CpuDevice device;
    private final ThreadLocal<Workplace> workplaces;

    ConvolutionShortcuts(CpuDevice device) {
        this.device = device;
        workplaces = ThreadLocal.withInitial(() -> new Workplace(device.scratch(), device.scratch()));
    }

    @Override
    public boolean run(String op, List<INDArray> inputs, List<INDArray> outputs, long[] integers, double[] numbers) {
        return Bf16Arrays.allBFloat16(inputs)
                && Bf16Arrays.allBFloat16(outputs)
                && switch (op) {
                    case "conv1d" -> forward(sequences(inputs.get(0), inputs.get(1), outputs.get(0), integers), inputs);
                    case "conv1d_bp" -> sequenceGradients(inputs, outputs, integers);
                    case "depthwise_conv2d" -> forward(
                            depthwise(inputs.get(0), inputs.get(1), channelsFirst(outputs.get(0), integers), integers),
                            inputs);
                    case "depthwise_conv2d_bp" -> depthwiseGradients(inputs, outputs, integers);
                    case "sconv2d" -> separable(inputs, outputs.get(0), integers);
                    case "sconv2d_bp" -> separableGradients(inputs, outputs, integers);
                    default -> false;
                };
    }

    /** Memory for what lies between the two parts of a separable convolution, and for its gradient. */
    private record Workplace(GrowingMemory values, GrowingMemory gradient) {}

    /** What a convolution of images reads and writes, x and y with their channels first. */
    private record Images(StridedArray x, StridedArray weights, StridedArray y, Window window) {}

    private Convolution convolution() {
        return device.convolution().orElseThrow();
    }

    /** @param inputs the third one, where there is one, is a bias */
    private boolean forward(Images images, List<INDArray> inputs) {
        if (images == null) {
            return false;
        }
        convolution().forward(images.x, images.weights, bias(inputs, 2), images.y, images.window);
        return true;
    }

    /** @param dBias null for none */
    private void backward(Images images, StridedArray dy, StridedArray dx, StridedArray dWeights, StridedArray dBias) {
        convolution().backward(images.x, images.weights, dy, dx, dWeights, dBias, images.window);
    }

    /** The bias at this place, or null. */
    private StridedArray bias(List<INDArray> inputs, int at) {
        return inputs.size() > at ? strided(inputs.get(at)).asRow() : null;
    }

    /**
     * [batch, channels, width] by weights [window, channels in, channels out]: as images of one row; null if that does
     * not suit.
     */
    private Images sequences(INDArray x, INDArray weights, INDArray y, long[] integers) {
        boolean plain = (integers.length == 5 || integers.length == 6 && integers[5] == 0) && integers[4] < 2;
        if (!plain || x.rank() != 3 || !KernelOp.isDense(weights) || !KernelOp.isDense(y)) {
            return null;
        }
        long padding = integers[4] == 0
                ? integers[2]
                : WindowShortcuts.samePadding(x.size(2), y.size(2), integers[0], integers[1], integers[3]);
        var window = new Window(1, integers[0], 1, integers[1], 0, padding, 1, integers[3]);
        return new Images(asImage(x), withHeight(weights), asImage(y), window);
    }

    private boolean sequenceGradients(List<INDArray> inputs, List<INDArray> outputs, long[] integers) {
        Images images = sequences(inputs.get(0), inputs.get(1), inputs.get(inputs.size() - 1), integers);
        boolean hasBias = inputs.size() == 4;
        if (images == null || !KernelOp.isDense(outputs.get(1)) || hasBias && !KernelOp.isDense(outputs.get(2))) {
            return false;
        }
        StridedArray dBias = hasBias ? bias(outputs, 2) : null;
        backward(images, images.y, asImage(outputs.get(0)), withHeight(outputs.get(1)), dBias);
        return true;
    }

    /**
     * By weights [height, width, channels, multiplier], a channel's results beside each other; null if that does not
     * suit.
     */
    private Images depthwise(INDArray x, INDArray weights, StridedArray y, long[] integers) {
        StridedArray filters = filters(weights);
        if (filters == null || integers.length < 10 || integers.length > 10 && integers[10] != 0 || integers[8] > 1) {
            return null;
        }
        StridedArray in = channelsFirst(x, integers);
        var window = new Window(
                weights.size(0),
                weights.size(1),
                integers[2],
                integers[3],
                integers[4],
                integers[5],
                integers[6],
                integers[7]);
        Window placed = integers[8] == 0 ? window : WindowShortcuts.same(window, in, y);
        return convolution().runs(in, filters, y, placed) ? new Images(in, filters, y, placed) : null;
    }

    private boolean depthwiseGradients(List<INDArray> inputs, List<INDArray> outputs, long[] integers) {
        StridedArray dy = channelsFirst(inputs.get(inputs.size() - 1), integers);
        Images images = depthwise(inputs.get(0), inputs.get(1), dy, integers);
        StridedArray dWeights = filters(outputs.get(1));
        boolean hasBias = inputs.size() == 4;
        if (images == null || dWeights == null || hasBias && !KernelOp.isDense(outputs.get(2))) {
            return false;
        }
        StridedArray dBias = hasBias ? bias(outputs, 2) : null;
        backward(images, dy, channelsFirst(outputs.get(0), integers), dWeights, dBias);
        return true;
    }

    /** A depthwise convolution, then one by weights [1, 1, channels, channels out], whose input is rounded to BF16. */
    private boolean separable(List<INDArray> inputs, INDArray y, long[] integers) {
        if (inputs.size() < 3 || inputs.get(2).rank() != 4) {
            return false; // without the second one
        }
        StridedArray out = channelsFirst(y, integers);
        Images depthwise = depthwise(inputs.get(0), inputs.get(1), out, integers, workplaces.get().values);
        return forward(depthwise, List.of())
                && forward(
                        new Images(depthwise.y, pointwise(inputs.get(2)), out, POINT),
                        inputs.subList(1, inputs.size()));
    }

    /** The depthwise convolution is computed anew. */
    private boolean separableGradients(List<INDArray> inputs, List<INDArray> outputs, long[] integers) {
        if (inputs.size() < 4 || inputs.get(3).rank() != 4) {
            return false;
        }
        StridedArray dy = channelsFirst(inputs.get(1), integers);
        Images depthwise = depthwise(inputs.get(0), inputs.get(2), dy, integers, workplaces.get().values);
        StridedArray dFilters = filters(outputs.get(1));
        boolean hasBias = inputs.size() == 5;
        if (dFilters == null || hasBias && !KernelOp.isDense(outputs.get(3)) || !forward(depthwise, List.of())) {
            return false;
        }
        StridedArray dBetween = between(inputs.get(2), dy, workplaces.get().gradient);
        StridedArray dBias = hasBias ? bias(outputs, 3) : null;
        Images points = new Images(depthwise.y, pointwise(inputs.get(3)), dy, POINT);
        backward(points, dy, dBetween, pointwise(outputs.get(2)), dBias);
        backward(depthwise, dBetween, channelsFirst(outputs.get(0), integers), dFilters, null);
        return true;
    }

    /** The depthwise part of a separable convolution, whose result is {@code y}; takes memory only if that suits. */
    private Images depthwise(INDArray x, INDArray weights, StridedArray y, long[] integers, GrowingMemory memory) {
        Images images = depthwise(x, weights, between(weights, y, bytes -> 0), integers);
        return images == null ? null : new Images(images.x, images.weights, between(weights, y, memory), images.window);
    }

    /** Memory for the result of a depthwise convolution by these weights, of the size of {@code y}, channels last. */
    private static StridedArray between(INDArray weights, StridedArray y, GrowingMemory scratch) {
        long channels = weights.size(2) * weights.size(3);
        long[] shape = {y.shape()[0], channels, y.rows(), y.columns()};
        long bytes = shape[0] * shape[1] * shape[2] * shape[3] * FloatType.BFLOAT16.bytes();
        return new StridedArray(FloatType.BFLOAT16, scratch.reserve(bytes), shape, new long[] {
            shape[2] * shape[3] * channels, 1, shape[3] * channels, channels
        });
    }

    /** [height, width, channels, multiplier] as [channels * multiplier, 1, height, width]; null if strides forbid. */
    private StridedArray filters(INDArray weights) {
        StridedArray m = strided(weights);
        long[] shape = m.shape();
        long[] strides = m.strides();
        boolean regular = shape[3] == 1 || shape[2] == 1 || strides[2] == shape[3] * strides[3];
        return regular
                ? new StridedArray(
                        m.type(), m.address(), new long[] {shape[2] * shape[3], 1, shape[0], shape[1]}, new long[] {
                            shape[3] == 1 ? strides[2] : strides[3], 1, strides[0], strides[1]
                        })
                : null;
    }

    /** [1, 1, in, out] as [out, in, 1, 1]. */
    private StridedArray pointwise(INDArray weights) {
        return strided(weights.permute(3, 2, 0, 1));
    }

    /** [batch, channels, width] as [batch, channels, 1, width]. */
    private StridedArray asImage(INDArray sequence) {
        StridedArray m = strided(sequence);
        return new StridedArray(
                m.type(), m.address(), new long[] {m.shape()[0], m.shape()[1], 1, m.shape()[2]}, new long[] {
                    m.strides()[0], m.strides()[1], m.shape()[2] * m.strides()[2], m.strides()[2]
                });
    }

    /** [window, in, out] as [out, in, 1, window]. */
    private StridedArray withHeight(INDArray weights) {
        StridedArray m = strided(weights);
        return new StridedArray(
                m.type(), m.address(), new long[] {m.shape()[2], m.shape()[1], 1, m.shape()[0]}, new long[] {
                    m.strides()[2], m.strides()[1], 0, m.strides()[0]
                });
    }

    /** [batch, channels, height, width] of images that have their channels last where an op's tenth integer says so. */
    private StridedArray channelsFirst(INDArray images, long[] integers) {
        boolean last = integers.length > 9 && integers[9] == 1;
        return strided(last ? images.permute(0, 3, 1, 2) : images);
    }

    private StridedArray strided(INDArray array) {
        return KernelOp.strided(device, array);
    }
}
