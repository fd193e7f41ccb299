package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matrix;
import org.dl4jsr.kernel.StridedCopy;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** ND4J arrays as the kernels see them. */
final class Bf16Arrays {

    private Bf16Arrays() {}

    static boolean isBFloat16(INDArray array) {
        return array != null && array.dataType() == DataType.BFLOAT16;
    }

    static boolean anyBFloat16(List<INDArray> arrays) {
        for (INDArray array : arrays) {
            if (isBFloat16(array)) {
                return true;
            }
        }
        return false;
    }

    /** {@code array}'s memory, shape and strides; FLOAT or BFLOAT16, not empty. */
    static Matrix matrix(INDArray array) {
        return new Matrix(type(array), address(array), array.shape(), array.stride());
    }

    static long address(INDArray array) {
        return array.data().addressPointer().address();
    }

    private static FloatType type(INDArray array) {
        return array.dataType() == DataType.FLOAT ? FloatType.FLOAT : FloatType.BFLOAT16;
    }

    /** Whether both are the same elements in the same order. */
    static boolean sameMemory(INDArray a, INDArray b) {
        return a == b
                || a.dataType() == b.dataType() && !a.isEmpty() && !b.isEmpty() && address(a) == address(b)
                        && Arrays.equals(a.shape(), b.shape()) && Arrays.equals(a.stride(), b.stride());
    }

    /**
     * Copies {@code source} to {@code target} if both are FLOAT or BFLOAT16 and of one shape, but for dimensions of one
     * element: bit for bit within a type, exactly or rounded to nearest even between the two.
     *
     * @return whether it has been done
     */
    static boolean copy(INDArray source, INDArray target) {
        if (!isCastable(source) || !isCastable(target)) {
            return false;
        }
        boolean sameShape = Arrays.equals(source.shape(), target.shape());
        Matrix from = sameShape ? matrix(source) : squeezed(source);
        Matrix to = sameShape ? matrix(target) : squeezed(target);
        if (!Arrays.equals(from.shape(), to.shape())) {
            return false;
        }
        StridedCopy.copy(from, to);
        return true;
    }

    private static boolean isCastable(INDArray array) {
        DataType type = array.dataType();
        return (type == DataType.FLOAT || type == DataType.BFLOAT16) && !array.isEmpty();
    }

    private static Matrix squeezed(INDArray array) {
        long[] shape = array.shape();
        long[] strides = array.stride();
        int[] kept = IntStream.range(0, shape.length).filter(i -> shape[i] != 1).toArray();
        return new Matrix(type(array), address(array), Arrays.stream(kept).mapToLong(i -> shape[i]).toArray(),
                Arrays.stream(kept).mapToLong(i -> strides[i]).toArray());
    }
}
