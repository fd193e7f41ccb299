package org.dl4jsr.op;

import org.dl4jsr.kernel.ArrayKernels;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Batch normalization, for devices with {@link Device#arrayKernels}. */
public final class BatchNorm extends KernelOp {

    private final ChannelArray x;
    private final INDArray gain;
    private final INDArray bias;
    private final INDArray mean;
    private final INDArray variance;
    private final float epsilon;
    private final INDArray y;
    private final boolean ofBatch;

    /**
     * @param x BFLOAT16
     * @param gain BFLOAT16 [channels], as bias
     * @param mean FLOAT [channels], as variance; written if they are the batch's
     * @param y of x's shape and strides, written
     * @param ofBatch whether x is normalized by its own mean and variance, not by those given
     */
    public BatchNorm(
            ChannelArray x,
            INDArray gain,
            INDArray bias,
            INDArray mean,
            INDArray variance,
            double epsilon,
            INDArray y,
            boolean ofBatch) {
        super(
                StepPart.NORM,
                ofBatch
                        ? new INDArray[] {x.array(), gain, bias}
                        : new INDArray[] {x.array(), gain, bias, mean, variance},
                ofBatch ? new INDArray[] {y, mean, variance} : new INDArray[] {y});
        this.x = x;
        this.gain = require("gain", gain, DataType.BFLOAT16, x.channels());
        this.bias = require("bias", bias, DataType.BFLOAT16, x.channels());
        this.mean = require("mean", mean, DataType.FLOAT, x.channels());
        this.variance = require("variance", variance, DataType.FLOAT, x.channels());
        this.epsilon = (float) epsilon;
        this.y = x.requireAlike("y", y);
        this.ofBatch = ofBatch;
    }

    @Override
    public String opName() {
        return "dl4jsr_batch_norm";
    }

    @Override
    public void run(Device device) {
        ArrayKernels kernels = device.arrayKernels().orElseThrow();
        if (ofBatch) {
            kernels.batchNormStatistics(x.at(device, x.array()), device.address(mean), device.address(variance));
        }
        kernels.batchNorm(
                x.at(device, x.array()),
                device.address(gain),
                device.address(bias),
                device.address(mean),
                device.address(variance),
                epsilon,
                x.at(device, y));
    }
}
