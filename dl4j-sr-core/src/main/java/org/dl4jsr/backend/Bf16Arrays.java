package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.List;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What ND4J's arrays are to the kernels. */
public final class Bf16Arrays {

    private Bf16Arrays() {}

    /** Whether {@code array} is BF16; null is not. */
    public static boolean isBFloat16(INDArray array) {
        return array != null && array.dataType() == DataType.BFLOAT16;
    }

    /** Whether any of {@code arrays}, which may hold nulls, is BF16. */
    public static boolean anyBFloat16(List<INDArray> arrays) {
        for (INDArray array : arrays) {
            if (isBFloat16(array)) {
                return true;
            }
        }
        return false;
    }

    /** Whether all of {@code arrays} are BF16 and have elements. */
    static boolean allBFloat16(List<INDArray> arrays) {
        for (INDArray array : arrays) {
            if (!isBFloat16(array) || array.isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /** Whether both are the same elements in the same order. */
    static boolean sameMemory(Device device, INDArray a, INDArray b) {
        return a == b
                || a.dataType() == b.dataType()
                        && !a.isEmpty()
                        && !b.isEmpty()
                        && device.address(a) == device.address(b)
                        && Arrays.equals(a.shape(), b.shape())
                        && Arrays.equals(a.stride(), b.stride());
    }

    /** The buffer that all views of one allocation share: its identity. */
    public static DataBuffer root(INDArray array) {
        DataBuffer data = array.data();
        return data.originalDataBuffer() == null ? data : data.originalDataBuffer();
    }

    /** Whether both are as many elements of one allocation and begin with the same one, in whatever order. */
    static boolean sameStretch(INDArray a, INDArray b) {
        return root(a) == root(b) && a.offset() == b.offset() && a.length() == b.length();
    }

    /** Whether {@code array} is a FLOAT or BFLOAT16 array with elements. */
    public static boolean isCastable(INDArray array) {
        DataType type = array.dataType();
        return (type == DataType.FLOAT || type == DataType.BFLOAT16) && !array.isEmpty();
    }
}
