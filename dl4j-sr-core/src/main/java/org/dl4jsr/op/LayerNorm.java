package org.dl4jsr.op;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Layer normalization over the last dimension: y = (x - mean) * rstd * gain + bias with rstd = 1 / sqrt(variance +
 * {@value #EPSILON}). Ba, Kiros, Hinton, <i>Layer Normalization</i>, 2016.
 */
public final class LayerNorm extends KernelOp {

    /** What is added to the variance: GPT-2's. */
    public static final float EPSILON = 1e-5f;

    private final INDArray x;
    private final INDArray gain;
    private final INDArray bias;
    private final INDArray y;
    private final INDArray mean;
    private final INDArray rstd;
    private final int rows;

    /**
     * @param x [..., width], FLOAT or BFLOAT16
     * @param gain [width]
     * @param bias [width]
     * @param y as x, written
     * @param mean FLOAT [rows], written: for {@link LayerNormGradient}
     * @param rstd FLOAT [rows], written
     */
    public LayerNorm(INDArray x, INDArray gain, INDArray bias, INDArray y, INDArray mean, INDArray rstd) {
        super(StepPart.NORM, new INDArray[] {x, gain, bias}, new INDArray[] {y, mean, rstd});
        long width = gain.length();
        this.rows = rows("x", x, x.dataType(), width);
        this.x = x;
        this.gain = require("gain", gain, x.dataType(), width);
        this.bias = require("bias", bias, x.dataType(), width);
        this.y = requireRows("y", y, x.dataType(), rows, width);
        this.mean = require("mean", mean, DataType.FLOAT, rows);
        this.rstd = require("rstd", rstd, DataType.FLOAT, rows);
    }

    @Override
    public String opName() {
        return "dl4jsr_layer_norm";
    }

    @Override
    public void run(Device device) {
        device.transformerKernels()
                .layerNormForward(
                        type(x),
                        device.address(x),
                        device.address(gain),
                        device.address(bias),
                        device.address(y),
                        device.address(mean),
                        device.address(rstd),
                        rows,
                        Math.toIntExact(gain.length()),
                        EPSILON);
    }
}
