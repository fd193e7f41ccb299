package org.dl4jsr.op;

import org.dl4jsr.kernel.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The sum of squares of a dense FLOAT or BFLOAT16 array; see {@link Kernels#sumOfSquares}. */
public final class SumOfSquares extends KernelOp {

    private final INDArray x;
    private double value = Double.NaN;

    public SumOfSquares(INDArray x) {
        super(new INDArray[] {x}, new INDArray[0]);
        type(x);
        this.x = requireDense("x", x);
    }

    @Override
    public String opName() {
        return "sum_of_squares";
    }

    @Override
    public void run(Device device) {
        value = device.kernels().sumOfSquares(type(x), device.address(x), x.length());
    }

    /** The result, once the op has run; not finite exactly when some value of x is not finite. */
    public double value() {
        return value;
    }
}
