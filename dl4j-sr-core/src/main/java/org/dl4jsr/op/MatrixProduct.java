package org.dl4jsr.op;

import org.dl4jsr.kernel.StridedArray;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** c = a b + bias + residual, either factor transposed at wish, accumulated in FP32 and rounded once. */
public final class MatrixProduct extends KernelOp {

    private final INDArray a;
    private final INDArray b;
    private final INDArray c;
    private final INDArray bias;
    private final INDArray residual;
    private final boolean transposeA;
    private final boolean transposeB;

    /**
     * All arrays are dense and row-major; a and b of one type, c, bias and residual of that or FLOAT. Leading dimensions
     * count as rows: [batch, time, width] is a matrix of batch * time rows.
     *
     * @param part of a training step that the product belongs to
     * @param a [m, k], or [k, m] if {@code transposeA}
     * @param b [k, n], or [n, k] if {@code transposeB}
     * @param c [m, n], written; must not overlap a or b
     * @param bias [n], is added to every row; null for none
     * @param residual as c, is added; null for none; may be c itself
     */
    public MatrixProduct(
            StepPart part,
            INDArray a,
            boolean transposeA,
            INDArray b,
            boolean transposeB,
            INDArray c,
            INDArray bias,
            INDArray residual) {
        super(part, given(a, b, bias, residual), new INDArray[] {c});
        var type = a.dataType();
        var resultType = c.dataType() == DataType.FLOAT ? DataType.FLOAT : type;
        int rowsA = rows("a", a, type, a.size(-1));
        int rowsB = rows("b", b, type, b.size(-1));
        long m = transposeA ? a.size(-1) : rowsA;
        long k = transposeA ? rowsA : a.size(-1);
        long n = transposeB ? rowsB : b.size(-1);
        if (k != (transposeB ? b.size(-1) : rowsB)) {
            throw new IllegalArgumentException(
                    "Cannot multiply [" + m + ", " + k + "] by [" + (transposeB ? b.size(-1) : rowsB) + ", " + n + "]");
        }
        this.a = a;
        this.b = b;
        this.c = requireRows("c", c, resultType, m, n);
        this.bias = bias == null ? null : require("bias", bias, resultType, n);
        this.residual = residual == null ? null : requireRows("residual", residual, resultType, m, n);
        this.transposeA = transposeA;
        this.transposeB = transposeB;
    }

    /** c = a b. */
    public MatrixProduct(StepPart part, INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c) {
        this(part, a, transposeA, b, transposeB, c, null, null);
    }

    @Override
    public String opName() {
        return "dl4jsr_matrix_product";
    }

    @Override
    public long operations() {
        return 2 * c.length() * (transposeA ? a.length() / a.size(-1) : a.size(-1));
    }

    @Override
    public void run(Device device) {
        var left = matrix(device, a);
        var right = matrix(device, b);
        device.matmul()
                .multiply(
                        transposeA ? left.transposed() : left,
                        transposeB ? right.transposed() : right,
                        matrix(device, c),
                        1f,
                        0f,
                        row(device, bias),
                        residual == null ? null : matrix(device, residual));
    }

    private static StridedArray matrix(Device device, INDArray array) {
        long columns = array.size(-1);
        return StridedArray.rowMajor(type(array), device.address(array), array.length() / columns, columns);
    }
}
