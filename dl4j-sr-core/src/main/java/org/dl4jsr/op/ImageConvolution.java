package org.dl4jsr.op;

import org.dl4jsr.kernel.Window;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** y = the convolution of x, plus bias, for devices with {@link Device#convolution}. */
public final class ImageConvolution extends KernelOp {

    private final INDArray x;
    private final INDArray weights;
    private final INDArray bias;
    private final INDArray y;
    private final Window window;

    /**
     * BFLOAT16 arrays, of any strides but for the bias.
     *
     * @param x [batch, channels in, height, width]
     * @param weights [channels out, channels in, window height, window width]
     * @param bias channels out elements, or null
     * @param y [batch, channels out, rows, columns], written
     */
    public ImageConvolution(INDArray x, INDArray weights, INDArray bias, INDArray y, Window window) {
        super(StepPart.CONVOLUTION, given(x, weights, bias), new INDArray[] {y});
        requireShapes(x, weights, y, window);
        this.x = x;
        this.weights = weights;
        this.bias = bias == null ? null : requireDense("bias", bias);
        this.y = y;
        this.window = window;
    }

    static void requireShapes(INDArray x, INDArray weights, INDArray y, Window window) {
        requireShape("x", x, DataType.BFLOAT16, y.size(0), weights.size(1), x.size(2), x.size(3));
        requireShape("weights", weights, DataType.BFLOAT16, y.size(1), x.size(1), window.height(), window.width());
        requireShape("y", y, DataType.BFLOAT16, x.size(0), weights.size(0), y.size(2), y.size(3));
    }

    @Override
    public String opName() {
        return "dl4jsr_image_convolution";
    }

    @Override
    public long operations() {
        return 2 * y.length() * weights.length() / weights.size(0);
    }

    @Override
    public void run(Device device) {
        device.convolution()
                .orElseThrow()
                .forward(strided(device, x), strided(device, weights), row(device, bias), strided(device, y), window);
    }
}
