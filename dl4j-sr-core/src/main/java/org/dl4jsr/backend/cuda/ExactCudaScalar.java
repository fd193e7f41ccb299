package org.dl4jsr.backend.cuda;

import org.dl4jsr.backend.ExactScalar;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.jcublas.JCublasNDArray;

/** An {@link ExactScalar} of nd4j-cuda. */
final class ExactCudaScalar extends JCublasNDArray implements ExactScalar {

    private final float unrounded;

    ExactCudaScalar(DataBuffer rounded, float unrounded) {
        super(rounded, new long[0], new long[0], 0L, 'c', DataType.BFLOAT16);
        this.unrounded = unrounded;
    }

    @Override
    public float exact() {
        return ExactScalar.exact(unrounded, data().getFloat(0));
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
