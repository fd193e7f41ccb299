package org.dl4jsr.op;

import java.util.Locale;
import org.dl4jsr.kernel.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Backward pass of {@link Activate} and, in the same pass, of the bias that was added before it. */
public final class ActivationGradient extends KernelOp {

    private final Activation activation;
    private final INDArray x;
    private final INDArray dy;
    private final INDArray y;
    private final INDArray dx;
    private final INDArray dBias;
    private final int rows;

    /** Without the output. */
    public ActivationGradient(Activation activation, INDArray x, INDArray dy, INDArray dx, INDArray dBias) {
        this(activation, x, dy, null, dx, dBias);
    }

    /**
     * @param x [..., width], input of the forward pass
     * @param dy as x: gradient of the output
     * @param y as x, written: the output once more, where it was not kept; null for none; may be x
     * @param dx as x, written; may be dy
     * @param dBias [width], written: the column sums of dx
     */
    public ActivationGradient(Activation activation, INDArray x, INDArray dy, INDArray y, INDArray dx, INDArray dBias) {
        super(
                StepPart.ACTIVATION,
                new INDArray[] {x, dy},
                y == null ? new INDArray[] {dx, dBias} : new INDArray[] {y, dx, dBias});
        this.activation = activation;
        long width = x.size(-1);
        this.rows = rows("x", x, x.dataType(), width);
        this.x = x;
        this.dy = requireRows("dy", dy, x.dataType(), rows, width);
        this.y = y == null ? null : requireRows("y", y, x.dataType(), rows, width);
        this.dx = requireRows("dx", dx, x.dataType(), rows, width);
        this.dBias = require("dBias", dBias, x.dataType(), width);
    }

    @Override
    public String opName() {
        return "dl4jsr_" + activation.name().toLowerCase(Locale.ROOT) + "_gradient";
    }

    @Override
    public void run(Device device) {
        device.transformerKernels()
                .activationBackward(
                        activation,
                        type(x),
                        device.address(x),
                        device.address(dy),
                        device.address(y),
                        device.address(dx),
                        device.address(dBias),
                        rows,
                        Math.toIntExact(dBias.length()));
    }
}
