package org.dl4jsr.op;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** FLOAT values stored as BF16 with stochastic rounding. */
public final class SrAssign extends KernelOp {

    private final INDArray target;
    private final INDArray source;
    private final long seed;
    private final int step;
    private final long element;

    /**
     * @param target BFLOAT16 [n]
     * @param source FLOAT [n]
     * @param seed key of the random bits
     * @param step the optimizer's step, from 0
     * @param element of the random bits of the first value; what is not a weight takes elements that no weight has
     */
    public SrAssign(INDArray target, INDArray source, long seed, int step, long element) {
        super(StepPart.OPTIMIZER, new INDArray[] {source}, new INDArray[] {target});
        this.target = require("target", target, DataType.BFLOAT16, target.length());
        this.source = require("source", source, DataType.FLOAT, target.length());
        this.seed = seed;
        this.step = step;
        this.element = element;
    }

    @Override
    public String opName() {
        return "dl4jsr_assign";
    }

    @Override
    public void run(Device device) {
        device.kernels()
                .stochasticRound(device.address(source), device.address(target), target.length(), seed, step, element);
    }
}
