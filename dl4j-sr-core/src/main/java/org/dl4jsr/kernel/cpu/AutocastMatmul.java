package org.dl4jsr.kernel.cpu;

import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;

/** Multiplies FLOAT matrices by way of BF16 copies of a and b; sums and results stay FLOAT. */
final class AutocastMatmul implements Matmul {

    private final Matmul bFloat16;
    private final StridedCopy copies;
    private final ThreadLocal<Scratch> left = ThreadLocal.withInitial(Scratch::new);
    private final ThreadLocal<Scratch> right = ThreadLocal.withInitial(Scratch::new);

    AutocastMatmul(Matmul bFloat16, StridedCopy copies) {
        this.bFloat16 = bFloat16;
        this.copies = copies;
    }

    @Override
    public String description() {
        return "autocast of FLOAT to BF16, " + bFloat16.description();
    }

    @Override
    public void multiply(
            StridedArray a,
            StridedArray b,
            StridedArray c,
            float alpha,
            float beta,
            StridedArray bias,
            StridedArray residual) {
        bFloat16.multiply(cast(a, left.get()), cast(b, right.get()), c, alpha, beta, bias, residual);
    }

    private StridedArray cast(StridedArray matrix, Scratch scratch) {
        return matrix.type() == FloatType.FLOAT ? copies.dense(matrix, FloatType.BFLOAT16, scratch) : matrix;
    }
}
