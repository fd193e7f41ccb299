package org.dl4jsr.op;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** BF16 stand-ins for an op's FLOAT arrays, which are dense, for as long as the op runs; all are addresses. */
final class RoundedArrays implements AutoCloseable {

    private final Device device;
    private final List<INDArray> standIns = new ArrayList<>();

    RoundedArrays(Device device) {
        this.device = device;
    }

    /** A copy of {@code array}, rounded to nearest. */
    long copy(INDArray array) {
        long rounded = create(array);
        device.kernels().toBFloat16(device.address(array), rounded, array.length());
        return rounded;
    }

    /** As many elements as {@code array} has, of undefined content. */
    long create(INDArray array) {
        INDArray rounded = Nd4j.createUninitializedDetached(DataType.BFLOAT16, array.shape());
        standIns.add(rounded);
        return device.address(rounded);
    }

    /** Copies a stand-in back. */
    void copyBack(long rounded, INDArray array) {
        device.kernels().toFloat(rounded, device.address(array), array.length());
    }

    @Override
    public void close() {
        standIns.forEach(INDArray::close);
    }
}
