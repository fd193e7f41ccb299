package org.dl4jsr.kernel;

/**
 * Multiplies BF16 matrices by way of FLOAT copies, for a CPU where oneDNN has no BF16. The copies are exact and the
 * result is rounded once, so the numbers are those of BF16 operands with FP32 accumulation.
 */
final class WideningMatmul implements Matmul {

    private final Matmul wide;
    private final ThreadLocal<Copies> copies = ThreadLocal.withInitial(Copies::new);

    private static final class Copies {
        final Scratch a = new Scratch();
        final Scratch b = new Scratch();
        final Scratch c = new Scratch();
        final Scratch bias = new Scratch();
        final Scratch residual = new Scratch();
    }

    WideningMatmul(Matmul wide) {
        this.wide = wide;
    }

    @Override
    public String description() {
        return "BF16 widened to FLOAT, " + wide.description();
    }

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, float alpha, float beta, Matrix bias, Matrix residual) {
        Copies memory = copies.get();
        Matrix result = c;
        if (c.type() == FloatType.BFLOAT16) {
            result = beta == 0 ? memory.c.like(c, FloatType.FLOAT) : memory.c.copy(c, FloatType.FLOAT);
        }
        wide.multiply(
                widen(a, memory.a),
                widen(b, memory.b),
                result,
                alpha,
                beta,
                widen(bias, memory.bias),
                widen(residual, memory.residual));
        if (result != c) {
            StridedCopy.copy(result, c);
        }
    }

    private static Matrix widen(Matrix matrix, Scratch scratch) {
        return matrix != null && matrix.type() == FloatType.BFLOAT16 ? scratch.copy(matrix, FloatType.FLOAT) : matrix;
    }
}
