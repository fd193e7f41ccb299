package org.dl4jsr.op;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** BF16 stand-ins for an op's FLOAT arrays, for as long as the op runs. */
final class RoundedArrays implements AutoCloseable {

    private final Device device;
    private final List<INDArray> standIns = new ArrayList<>();

    RoundedArrays(Device device) {
        this.device = device;
    }

    /** The address of a copy of {@code array}, rounded to nearest. */
    long copy(INDArray array) {
        INDArray rounded = create(array);
        device.copy(array, rounded);
        return device.address(rounded);
    }

    /** Of the shape of {@code array}, of undefined content. */
    INDArray create(INDArray array) {
        INDArray rounded = Nd4j.createUninitializedDetached(DataType.BFLOAT16, array.shape());
        standIns.add(rounded);
        return rounded;
    }

    @Override
    public void close() {
        standIns.forEach(INDArray::close);
    }
}
