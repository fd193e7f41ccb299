package org.dl4jsr.op;

import org.dl4jsr.kernel.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The sum of squares of a dense FLOAT or BFLOAT16 array; see {@link Kernels#sumOfSquares}. */
public final class SumOfSquares extends KernelOp {

    private final INDArray x;
    private double value = Double.NaN;

    private SumOfSquares(INDArray x) {
        super(StepPart.CLIPPING, new INDArray[] {x}, new INDArray[0]);
        type(x);
        this.x = requireDense("x", x);
    }

    /** The sum of squares of {@code x}; not finite exactly when some value of x is not finite. */
    public static double of(INDArray x) {
        var op = new SumOfSquares(x);
        Nd4j.exec(op);
        return op.value;
    }

    @Override
    public String opName() {
        return "sum_of_squares";
    }

    @Override
    public void run(Device device) {
        value = device.kernels().sumOfSquares(type(x), device.address(x), x.length());
    }
}
