package org.dl4jsr.op;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The Gaussian error linear unit in GPT-2's form: y = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))). Hendrycks,
 * Gimpel, <i>Gaussian Error Linear Units</i>, 2016.
 */
public final class Gelu extends KernelOp {

    private final INDArray x;
    private final INDArray y;

    /**
     * @param x any shape, FLOAT or BFLOAT16
     * @param y as x, written
     */
    public Gelu(INDArray x, INDArray y) {
        super(StepPart.GELU, new INDArray[] {x}, new INDArray[] {y});
        this.x = requireDense("x", x);
        this.y = require("y", y, x.dataType(), x.shape());
    }

    @Override
    public String opName() {
        return "dl4jsr_gelu";
    }

    @Override
    public void run(Device device) {
        device.kernels().geluForward(type(x), device.address(x), device.address(y), x.length());
    }
}
