package org.dl4jsr.backend;

import java.util.Arrays;
import org.nd4j.common.util.ArrayUtil;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;

/**
 * ND4J's FlatBuffers form of BF16 arrays, in which SameDiff saves. {@link Nd4j#createFromFlatArray} reads BF16 in native
 * byte order, whatever order is stated, and in 'c' order, whatever the shape says. So {@code toFlatArray}, which asks an
 * array for its shape and then for its content, gets both as they will be read.
 */
final class FlatBufferArrays {

    /** The shape that the array has which this thread's {@code toFlatArray} writes, where that is not in 'c' order. */
    private static final ThreadLocal<long[]> PERMUTED = new ThreadLocal<>();

    private FlatBufferArrays() {}

    /** Whether an array of these strides is BF16 and lies otherwise than in 'c' order. */
    static boolean permutes(long[] shape, long[] stride, DataType type) {
        return type == DataType.BFLOAT16 && !Arrays.equals(stride, ArrayUtil.calcStrides(shape));
    }

    /** What the shape information of such an array gives whoever asks: {@code info} itself, or what is to be written. */
    static long[] shape(long[] info) {
        if (!areWritten() || Shape.isEmpty(info)) { // of empty arrays the content is not asked for
            return info;
        }
        PERMUTED.set(info);
        return Nd4j.getShapeInfoProvider()
                .createShapeInformation(Shape.shape(info), 'c', DataType.BFLOAT16)
                .getSecond();
    }

    static boolean areWritten() {
        return CallStack.isWithin("toFlatArray");
    }

    /** The content of an array that lies in {@code buffer}, in 'c' order. */
    static DataBuffer content(DataBuffer buffer) {
        long[] info = PERMUTED.get();
        PERMUTED.remove();
        return info == null
                ? buffer
                : Nd4j.create(buffer, Shape.shape(info), Shape.stride(info), 0, Shape.order(info))
                        .dup('c')
                        .data();
    }
}
