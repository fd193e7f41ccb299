package org.dl4jsr.kernel;

import java.util.Optional;

/**
 * Convolution of BF16 images [batch, channels, height, width] by weights [channels out, channels in, window height,
 * window width], with FP32 sums that are rounded once. Some implementations do it in groups of channels, and on volumes
 * [batch, channels, depth, height, width], too. Arrays may have any strides. Implementations agree within a bound, and
 * repeat bit for bit at a fixed thread count. The caller checks shapes.
 */
public interface Convolution {

    /**
     * Whether this convolution runs on such arrays, in both directions. All run on images. In groups of channels
     * (grouped, depthwise) weights are of the channels of a group alone, [channels out, channels in / groups, window
     * height, window width], the groups one after another.
     */
    default boolean runs(StridedArray x, StridedArray weights, StridedArray y, Window window) {
        return x.rank() == 4 && x.shape()[1] == weights.shape()[1];
    }

    /**
     * The transposed convolution (deconvolution), with the same arguments: its y is as the gradient of the input of the
     * convolution whose result's gradient is its x. It runs on what it says that it {@link #runs} on. Empty where there
     * is none.
     */
    default Optional<Convolution> transposed() {
        return Optional.empty();
    }

    /**
     * y = the convolution of x, plus bias.
     *
     * @param bias [1, channels out], or null
     * @param y [batch, channels out, rows, columns], written
     */
    void forward(StridedArray x, StridedArray weights, StridedArray bias, StridedArray y, Window window);

    /**
     * The gradients of {@link #forward}, all written.
     *
     * @param dy as y
     * @param dx as x, or null
     * @param dBias [1, channels out], dense, or null
     */
    void backward(
            StridedArray x,
            StridedArray weights,
            StridedArray dy,
            StridedArray dx,
            StridedArray dWeights,
            StridedArray dBias,
            Window window);
}
