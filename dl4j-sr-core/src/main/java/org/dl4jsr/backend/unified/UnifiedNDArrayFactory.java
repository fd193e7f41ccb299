package org.dl4jsr.backend.unified;

import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.backend.Bf16NDArrayFactory;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The arrays of {@link UnifiedDevice}. ND4J creates it by name. */
public final class UnifiedNDArrayFactory extends Bf16NDArrayFactory {

    /** ND4J looks this constructor up. */
    public UnifiedNDArrayFactory(DataType dataType, char order) {
        super(UnifiedDevice.INSTANCE, dataType, order);
    }

    @Override
    public Pointer convertToNumpy(INDArray array) {
        UnifiedDevice.INSTANCE.await();
        return super.convertToNumpy(array);
    }
}
