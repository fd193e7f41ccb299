package org.dl4jsr.op;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The gradient of a bias that was added to every row: the column sums of the output's gradient. */
public final class BiasGradient extends KernelOp {

    private final INDArray dy;
    private final INDArray dBias;
    private final int rows;

    /**
     * @param dy [..., width], FLOAT or BFLOAT16
     * @param dBias [width], written
     */
    public BiasGradient(INDArray dy, INDArray dBias) {
        super(StepPart.BIAS, new INDArray[] {dy}, new INDArray[] {dBias});
        this.rows = rows("dy", dy, dy.dataType(), dBias.length());
        this.dy = dy;
        this.dBias = require("dBias", dBias, dy.dataType(), dy.size(-1));
    }

    @Override
    public String opName() {
        return "dl4jsr_bias_gradient";
    }

    @Override
    public void run(Device device) {
        device.transformerKernels()
                .biasGradient(
                        type(dy), device.address(dy), device.address(dBias), rows, Math.toIntExact(dBias.length()));
    }
}
