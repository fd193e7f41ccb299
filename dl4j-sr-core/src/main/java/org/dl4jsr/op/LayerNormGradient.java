package org.dl4jsr.op;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Backward pass of {@link LayerNorm}, with the gradient of the residual connection around it added. */
public final class LayerNormGradient extends KernelOp {

    private final INDArray x;
    private final INDArray gain;
    private final INDArray mean;
    private final INDArray rstd;
    private final INDArray dy;
    private final INDArray residual;
    private final INDArray dx;
    private final INDArray dGain;
    private final INDArray dBias;
    private final int rows;

    /**
     * @param x [..., width], input of the forward pass
     * @param gain [width]
     * @param mean FLOAT [rows], of the forward pass
     * @param rstd FLOAT [rows], of the forward pass
     * @param dy as x: gradient of the output
     * @param residual as x: is added to dx; null for none; may be dx itself
     * @param dx as x, written
     * @param dGain [width], written
     * @param dBias [width], written
     */
    public LayerNormGradient(
            INDArray x,
            INDArray gain,
            INDArray mean,
            INDArray rstd,
            INDArray dy,
            INDArray residual,
            INDArray dx,
            INDArray dGain,
            INDArray dBias) {
        super(
                StepPart.NORM,
                residual == null
                        ? new INDArray[] {x, gain, mean, rstd, dy}
                        : new INDArray[] {x, gain, mean, rstd, dy, residual},
                new INDArray[] {dx, dGain, dBias});
        long width = gain.length();
        this.rows = rows("x", x, x.dataType(), width);
        this.x = x;
        this.gain = require("gain", gain, x.dataType(), width);
        this.mean = require("mean", mean, DataType.FLOAT, rows);
        this.rstd = require("rstd", rstd, DataType.FLOAT, rows);
        this.dy = requireRows("dy", dy, x.dataType(), rows, width);
        this.residual = residual == null ? null : requireRows("residual", residual, x.dataType(), rows, width);
        this.dx = requireRows("dx", dx, x.dataType(), rows, width);
        this.dGain = require("dGain", dGain, x.dataType(), width);
        this.dBias = require("dBias", dBias, x.dataType(), width);
    }

    @Override
    public String opName() {
        return "dl4jsr_layer_norm_gradient";
    }

    @Override
    public void run(Device device) {
        device.transformerKernels()
                .layerNormBackward(
                        type(x),
                        device.address(x),
                        device.address(gain),
                        device.address(mean),
                        device.address(rstd),
                        device.address(dy),
                        device.address(residual),
                        device.address(dx),
                        device.address(dGain),
                        device.address(dBias),
                        rows,
                        Math.toIntExact(gain.length()));
    }
}
