package org.dl4jsr.op;

import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.rounding.WeightWrite;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One AdamW step on a contiguous range of a network's flattened parameters; weights and state are updated in place. See
 * {@link OptimizerStep} for the arithmetic.
 */
public final class SrAdamStep extends KernelOp {

    private final OptimizerStep step;
    private final long element;
    private final INDArray weights;
    private final INDArray gradient;
    private final INDArray m;
    private final INDArray v;
    private final INDArray extra;
    private final StepStatistics statistics;

    /**
     * @param step the scalars
     * @param element index of the first weight in the network's flattened parameters
     * @param weights [n], FLOAT or BFLOAT16
     * @param gradient [n], of the weights' type
     * @param m first moment, [n] of the weights' type; under {@link WeightWrite#MASTER} with BFLOAT16 weights [2n]
     *        BFLOAT16 elements that hold the bits of n FP32 values
     * @param v second moment, like m
     * @param extra {@link WeightWrite#KAHAN} compensation or {@link WeightWrite#MASTER} weights, like m; else null
     * @param statistics is added to, or null
     */
    public SrAdamStep(
            OptimizerStep step,
            long element,
            INDArray weights,
            INDArray gradient,
            INDArray m,
            INDArray v,
            INDArray extra,
            StepStatistics statistics) {
        super(
                StepPart.OPTIMIZER,
                new INDArray[] {gradient},
                extra == null ? new INDArray[] {weights, m, v} : new INDArray[] {weights, m, v, extra});
        DataType dataType = weights.dataType();
        long length = weights.length();
        boolean bf16 = type(weights) == FloatType.BFLOAT16;
        boolean master = bf16 && step.weightWrite() == WeightWrite.MASTER;
        require("weights", weights, dataType, length);
        require("gradient", gradient, dataType, length);
        long stateLength = master ? 2 * length : length;
        require("m", m, dataType, stateLength);
        require("v", v, dataType, stateLength);
        if (master || bf16 && step.weightWrite() == WeightWrite.KAHAN) {
            if (extra == null) {
                throw new IllegalArgumentException("extra is null, expected " + dataType + " [" + stateLength
                        + "] under weightWrite " + step.weightWrite());
            }
            require("extra", extra, dataType, stateLength);
        }
        this.step = step;
        this.element = element;
        this.weights = weights;
        this.gradient = gradient;
        this.m = m;
        this.v = v;
        this.extra = extra;
        this.statistics = statistics;
    }

    @Override
    public String opName() {
        return "sr_adam_step";
    }

    /** Weights and state are read and written. */
    @Override
    protected long bytes() {
        return super.bytes()
                + outputArguments().stream()
                        .mapToLong(array -> array.length() * array.dataType().width())
                        .sum();
    }

    @Override
    public void run(Device device) {
        var arrays = new OptimizerArrays(
                type(weights),
                device.address(weights),
                device.address(gradient),
                new long[] {device.address(m), device.address(v)},
                device.address(extra),
                weights.length(),
                element);
        device.kernels().step(step, arrays, statistics);
    }
}
