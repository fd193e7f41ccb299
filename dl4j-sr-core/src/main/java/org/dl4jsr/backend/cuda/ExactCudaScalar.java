package org.dl4jsr.backend.cuda;

import org.dl4jsr.backend.ExactScalar;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.BaseNDArrayProxy;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
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

    /** A copy that remembers the same value. */
    @Override
    public INDArray dup() {
        return Nd4j.scalar(DataType.BFLOAT16, exact());
    }

    @Override
    public INDArray dup(char order) {
        return dup();
    }

    /** As ND4J's arrays, whose own method is private: an array of the stored value takes its place. */
    private Object writeReplace() {
        return new BaseNDArrayProxy(this);
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
