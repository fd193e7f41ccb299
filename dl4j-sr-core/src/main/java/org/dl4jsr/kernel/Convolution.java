package org.dl4jsr.kernel;

/**
 * Convolution of BF16 images [batch, channels, height, width] by weights [channels out, channels in, window height,
 * window width], with FP32 sums that are rounded once. Arrays may have any strides. Implementations agree within a
 * bound, and repeat bit for bit at a fixed thread count. The caller checks shapes.
 */
public interface Convolution {

    /**
     * Whether this convolution runs in groups of channels (grouped, depthwise): weights then are of the channels of a
     * group alone, [channels out, channels in / groups, window height, window width], the groups one after another.
     */
    default boolean runsGroups(StridedArray x, StridedArray weights, StridedArray y, Window window) {
        return false;
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
