package org.dl4jsr.kernel.cpu;

import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;

/**
 * Multiplies BF16 matrices by way of FLOAT copies, for a CPU where oneDNN has no BF16. The copies are exact and the
 * result is rounded once, so the numbers are those of BF16 operands with FP32 accumulation.
 */
final class WideningMatmul implements Matmul {

    private final Matmul wide;
    private final StridedCopy copies;
    private final ThreadLocal<Workplace> workplaces = ThreadLocal.withInitial(Workplace::new);

    private static final class Workplace {
        final Scratch a = new Scratch();
        final Scratch b = new Scratch();
        final Scratch c = new Scratch();
        final Scratch bias = new Scratch();
        final Scratch residual = new Scratch();
    }

    WideningMatmul(Matmul wide, StridedCopy copies) {
        this.wide = wide;
        this.copies = copies;
    }

    @Override
    public String description() {
        return "BF16 widened to FLOAT, " + wide.description();
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
        Workplace memory = workplaces.get();
        StridedArray result = c;
        if (c.type() == FloatType.BFLOAT16) {
            result = beta == 0
                    ? c.denseAt(memory.c.reserve(c.length() * FloatType.FLOAT.bytes()), FloatType.FLOAT)
                    : copies.dense(c, FloatType.FLOAT, memory.c);
        }
        wide.multiply(
                widen(a, memory.a),
                widen(b, memory.b),
                result,
                alpha,
                beta,
                widen(bias, memory.bias),
                widen(residual, memory.residual));
        if (c.type() == FloatType.BFLOAT16) {
            copies.copy(result, c);
        }
    }

    private StridedArray widen(StridedArray matrix, Scratch scratch) {
        return matrix != null && matrix.type() == FloatType.BFLOAT16
                ? copies.dense(matrix, FloatType.FLOAT, scratch)
                : matrix;
    }
}
