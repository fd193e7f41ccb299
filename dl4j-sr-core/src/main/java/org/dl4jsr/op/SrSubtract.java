package org.dl4jsr.op;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** BF16 weights -= update, in place, computed in FP32 and written with stochastic rounding. */
public final class SrSubtract extends KernelOp {

    private final INDArray weights;
    private final INDArray update;
    private final long seed;
    private final int step;
    private final long element;

    /**
     * @param weights BFLOAT16 [n]
     * @param update FLOAT or BFLOAT16 [n]
     * @param seed key of the random bits
     * @param step the optimizer's step, from 0
     * @param element index of the first weight in the network's flattened parameters
     */
    public SrSubtract(INDArray weights, INDArray update, long seed, int step, long element) {
        super(StepPart.OPTIMIZER, new INDArray[] {update}, new INDArray[] {weights});
        type(update);
        this.weights = require("weights", weights, DataType.BFLOAT16, weights.length());
        this.update = require("update", update, update.dataType(), weights.length());
        this.seed = seed;
        this.step = step;
        this.element = element;
    }

    @Override
    public String opName() {
        return "dl4jsr_subtract";
    }

    @Override
    public void run(Device device) {
        device.kernels()
                .stochasticSubtract(
                        device.address(weights),
                        type(update),
                        device.address(update),
                        weights.length(),
                        seed,
                        step,
                        element);
    }
}
