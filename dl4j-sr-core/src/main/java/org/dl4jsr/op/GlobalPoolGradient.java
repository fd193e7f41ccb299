package org.dl4jsr.op;

import org.dl4jsr.kernel.StridedArray;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Backward pass of {@link GlobalPool}: of equal numbers the first one has the gradient of the maximum. */
public final class GlobalPoolGradient extends KernelOp {

    private final INDArray x;
    private final boolean average;
    private final INDArray dy;
    private final INDArray dx;

    /**
     * @param x as in {@link GlobalPool}
     * @param average whether it was not the maximum
     * @param dy BFLOAT16 [batch, channels], of any strides
     * @param dx of x's shape, of any strides, written
     */
    public GlobalPoolGradient(INDArray x, boolean average, INDArray dy, INDArray dx) {
        super(StepPart.POOLING, new INDArray[] {x, dy}, new INDArray[] {dx});
        this.x = GlobalPool.requireImages("x", x);
        this.average = average;
        this.dy = requireShape("dy", dy, DataType.BFLOAT16, x.size(0), x.size(1));
        this.dx = requireShape("dx", dx, DataType.BFLOAT16, x.shape());
    }

    @Override
    public String opName() {
        return "dl4jsr_global_pool_gradient";
    }

    @Override
    public void run(Device device) {
        StridedArray images = GlobalPool.images(device, x);
        StridedArray gradient = GlobalPool.images(device, dy);
        StridedArray result = GlobalPool.images(device, dx);
        if (average) {
            device.arrayKernels().orElseThrow().averagePoolGradient(gradient, result, GlobalPool.window(images), false);
        } else {
            device.arrayKernels().orElseThrow().maxPoolGradient(images, gradient, result, GlobalPool.window(images));
        }
    }
}
