package org.dl4jsr.op;

import java.util.Locale;
import org.dl4jsr.kernel.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** y = activation(x), element by element; its op is named after the activation. */
public final class Activate extends KernelOp {

    private final Activation activation;
    private final INDArray x;
    private final INDArray y;

    /**
     * @param x any shape, FLOAT or BFLOAT16
     * @param y as x, written; may be x
     */
    public Activate(Activation activation, INDArray x, INDArray y) {
        super(StepPart.ACTIVATION, new INDArray[] {x}, new INDArray[] {y});
        this.activation = activation;
        this.x = requireDense("x", x);
        this.y = require("y", y, x.dataType(), x.shape());
    }

    @Override
    public String opName() {
        return "dl4jsr_" + activation.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public void run(Device device) {
        device.transformerKernels()
                .activationForward(activation, type(x), device.address(x), device.address(y), x.length());
    }
}
