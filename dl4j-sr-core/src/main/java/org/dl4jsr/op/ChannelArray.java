package org.dl4jsr.op;

import java.util.Arrays;
import org.dl4jsr.kernel.StridedArray;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A BFLOAT16 array of images, or of vectors, as [outer, channels, inner]: planes of contiguous elements, or contiguous
 * channels, in one of the layouts that the layers make, which have no gaps.
 */
public final class ChannelArray {

    private final INDArray array;
    private final long[] shape;
    private final long[] strides;

    private ChannelArray(INDArray array, long[] shape, long[] strides) {
        this.array = array;
        this.shape = shape;
        this.strides = strides;
    }

    /**
     * @param array of two or four dimensions
     * @param dimension of the channels
     * @return null for a layout with gaps or of another order
     */
    public static ChannelArray of(INDArray array, int dimension) {
        long channels = array.size(dimension);
        int[] others = new int[array.rank() - 1];
        for (int i = 0; i < others.length; i++) {
            others[i] = i < dimension ? i : i + 1;
        }
        if (array.dataType() != DataType.BFLOAT16 || channels < 1) {
            return null;
        }
        long elements = array.length() / channels;
        long stride = array.stride(dimension);
        if ((stride == 1 || channels == 1) && isDense(array, others, 0, channels)) {
            return new ChannelArray(array, new long[] {1, channels, elements}, new long[] {0, 1, channels});
        }
        if (stride == elements && isDense(array, others, 0, 1)) {
            return new ChannelArray(array, new long[] {1, channels, elements}, new long[] {0, elements, 1});
        }
        long plane = elements / array.size(0);
        return array.size(0) > 1
                        && stride == plane
                        && array.stride(0) == channels * plane
                        && isDense(array, others, 1, 1)
                ? new ChannelArray(
                        array, new long[] {array.size(0), channels, plane}, new long[] {channels * plane, plane, 1})
                : null;
    }

    /** Whether these dimensions lie densely, in their order, the last one with this stride. */
    private static boolean isDense(INDArray array, int[] dimensions, int first, long stride) {
        long expected = stride;
        for (int i = dimensions.length - 1; i >= first; i--) {
            if (array.size(dimensions[i]) != 1 && array.stride(dimensions[i]) != expected) {
                return false;
            }
            expected *= array.size(dimensions[i]);
        }
        return true;
    }

    /** The array. */
    public INDArray array() {
        return array;
    }

    /** How many there are. */
    public long channels() {
        return shape[1];
    }

    /** Whether {@code other} has this array's type, shape and strides. */
    public boolean isAlike(INDArray other) {
        return other.dataType() == DataType.BFLOAT16
                && Arrays.equals(other.shape(), array.shape())
                && Arrays.equals(other.stride(), array.stride());
    }

    /** Requires {@code other} to have this array's type, shape and strides, and returns it. */
    INDArray requireAlike(String name, INDArray other) {
        if (!isAlike(other)) {
            throw new IllegalArgumentException(name + " is " + other.dataType() + " "
                    + Arrays.toString(other.shape()) + " with strides " + Arrays.toString(other.stride())
                    + ", expected BFLOAT16 " + Arrays.toString(array.shape()) + " with strides "
                    + Arrays.toString(array.stride()));
        }
        return other;
    }

    /** An array of this one's shape and strides, as the kernels see it. */
    StridedArray at(Device device, INDArray alike) {
        return new StridedArray(KernelOp.type(alike), device.address(alike), shape, strides);
    }
}
