package org.dl4jsr.op;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Backward pass of {@link BatchNorm} by the batch's own mean and variance. */
public final class BatchNormGradient extends KernelOp {

    private final ChannelArray x;
    private final INDArray gain;
    private final INDArray mean;
    private final INDArray variance;
    private final float epsilon;
    private final INDArray dy;
    private final INDArray dx;
    private final INDArray dGain;
    private final INDArray dBias;

    /**
     * @param x of the forward pass, as gain, mean and variance
     * @param dy of x's shape and strides: gradient of the output
     * @param dx of x's shape and strides, written
     * @param dGain as gain, written, as dBias
     */
    public BatchNormGradient(
            ChannelArray x,
            INDArray gain,
            INDArray mean,
            INDArray variance,
            double epsilon,
            INDArray dy,
            INDArray dx,
            INDArray dGain,
            INDArray dBias) {
        super(StepPart.NORM, new INDArray[] {x.array(), gain, mean, variance, dy}, new INDArray[] {dx, dGain, dBias});
        this.x = x;
        this.gain = require("gain", gain, DataType.BFLOAT16, x.channels());
        this.mean = require("mean", mean, DataType.FLOAT, x.channels());
        this.variance = require("variance", variance, DataType.FLOAT, x.channels());
        this.epsilon = (float) epsilon;
        this.dy = x.requireAlike("dy", dy);
        this.dx = x.requireAlike("dx", dx);
        this.dGain = require("dGain", dGain, DataType.BFLOAT16, x.channels());
        this.dBias = require("dBias", dBias, DataType.BFLOAT16, x.channels());
    }

    @Override
    public String opName() {
        return "dl4jsr_batch_norm_gradient";
    }

    @Override
    public void run(Device device) {
        device.arrayKernels()
                .orElseThrow()
                .batchNormGradient(
                        x.at(device, x.array()),
                        device.address(gain),
                        device.address(mean),
                        device.address(variance),
                        epsilon,
                        x.at(device, dy),
                        x.at(device, dx),
                        device.address(dGain),
                        device.address(dBias));
    }
}
