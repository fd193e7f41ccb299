package org.dl4jsr.kernel;

/** Multiplies FLOAT matrices by way of BF16 copies of a and b; sums and results stay FLOAT. See {@link Autocast}. */
final class AutocastMatmul implements Matmul {

    private final Matmul bFloat16;
    private final ThreadLocal<Scratch> left = ThreadLocal.withInitial(Scratch::new);
    private final ThreadLocal<Scratch> right = ThreadLocal.withInitial(Scratch::new);

    AutocastMatmul(Matmul bFloat16) {
        this.bFloat16 = bFloat16;
    }

    @Override
    public String description() {
        return "autocast of FLOAT to BF16, " + bFloat16.description();
    }

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, float alpha, float beta, Matrix bias, Matrix residual) {
        bFloat16.multiply(cast(a, left.get()), cast(b, right.get()), c, alpha, beta, bias, residual);
    }

    private static Matrix cast(Matrix matrix, Scratch scratch) {
        return matrix.type() == FloatType.FLOAT ? scratch.copy(matrix, FloatType.BFLOAT16) : matrix;
    }
}
