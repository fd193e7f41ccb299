package org.dl4jsr.op;

import org.dl4jsr.kernel.Window;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Backward pass of {@link ImageConvolution}. */
public final class ImageConvolutionGradient extends KernelOp {

    private final INDArray x;
    private final INDArray weights;
    private final INDArray dy;
    private final INDArray dx;
    private final INDArray dWeights;
    private final INDArray dBias;
    private final Window window;

    /**
     * @param x of the forward pass, as weights and window
     * @param dy as y: gradient of the output
     * @param dx as x, written; or null
     * @param dWeights as weights, written
     * @param dBias dense, as the bias, written; or null
     */
    public ImageConvolutionGradient(
            INDArray x, INDArray weights, INDArray dy, INDArray dx, INDArray dWeights, INDArray dBias, Window window) {
        super(StepPart.CONVOLUTION, new INDArray[] {x, weights, dy}, given(dx, dWeights, dBias));
        ImageConvolution.requireShapes(x, weights, dy, window);
        this.x = x;
        this.weights = weights;
        this.dy = dy;
        this.dx = dx == null ? null : requireShape("dx", dx, DataType.BFLOAT16, x.shape());
        this.dWeights = requireShape("dWeights", dWeights, DataType.BFLOAT16, weights.shape());
        this.dBias = dBias == null ? null : requireDense("dBias", dBias);
        this.window = window;
    }

    @Override
    public String opName() {
        return "dl4jsr_image_convolution_gradient";
    }

    @Override
    public long operations() {
        return (dx == null ? 2 : 4) * dy.length() * weights.length() / weights.size(0);
    }

    @Override
    public void run(Device device) {
        device.convolution()
                .orElseThrow()
                .backward(
                        strided(device, x),
                        strided(device, weights),
                        strided(device, dy),
                        dx == null ? null : strided(device, dx),
                        strided(device, dWeights),
                        row(device, dBias),
                        window);
    }
}
