package org.dl4jsr.backend;

import org.dl4jsr.rounding.BFloat16;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.cpu.nativecpu.NDArray;

/**
 * A rank-0 BF16 array that remembers the FP32 value it was rounded from. Scalar ops take that ({@code x.mul(0.999)}:
 * ND4J wraps the number in x's type, where it would be 1), and {@code getDouble(0)} gives it, by which
 * {@code sumNumber()}, {@code meanNumber()} and DL4J's scores are FP32. Once another value is stored, that counts.
 */
final class ExactScalar extends NDArray {

    private final float exact;

    ExactScalar(DataBuffer rounded, float exact) {
        super(rounded, new long[0], new long[0], 0L, 'c', DataType.BFLOAT16);
        this.exact = exact;
    }

    /** The unrounded value. */
    float exact() {
        float stored = data().getFloat(0);
        return BFloat16.toFloat(BFloat16.fromFloat(exact)) == stored ? exact : stored;
    }

    @Override
    public double getDouble(long i) {
        return i == 0 ? exact() : super.getDouble(i);
    }

    @Override
    public float getFloat(long i) {
        return i == 0 ? exact() : super.getFloat(i);
    }
}
