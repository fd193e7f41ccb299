package org.dl4jsr.backend;

import java.util.stream.IntStream;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Where the elements of an array lie in its allocation: in rows of {@code width}, {@code pitch} elements apart. A dense
 * row-major array is one row, columns of a matrix are many.
 *
 * @param start first element
 */
record RowBlock(long start, long rows, long width, long pitch) {

    /** Whether {@code array}, which is not empty, lies so, its elements in row-major order. */
    static boolean isRowMajor(INDArray array) {
        return KernelOp.isDense(array) || array.rank() == 2 && array.stride(1) == 1 && array.stride(0) >= array.size(1);
    }

    /** {@code array} with its dimensions in reverse order. */
    static INDArray reversed(INDArray array) {
        int last = array.rank() - 1;
        return array.permute(IntStream.rangeClosed(0, last).map(i -> last - i).toArray());
    }

    /** Where {@code array}, which is not empty, lies; all of the stretch that it lies in if not in such rows. */
    static RowBlock of(INDArray array) {
        Extent extent = Extent.of(array);
        if (array.rank() == 2 && !KernelOp.isDense(array)) {
            int rows = isRowMajor(array) ? 0 : 1;
            long width = array.size(1 - rows);
            boolean inRows = rows == 0 || isRowMajor(reversed(array));
            if (inRows && array.stride(rows) > width) { // else one run of memory
                return new RowBlock(extent.start(), array.size(rows), width, array.stride(rows));
            }
        }
        long length = extent.end() - extent.start();
        return new RowBlock(extent.start(), 1, length, length);
    }

    /** Behind the last element. */
    long end() {
        return start + (rows - 1) * pitch + width;
    }

    /** Whether the two, of one allocation, may have elements in common. */
    boolean overlaps(RowBlock other) {
        if (start >= other.end() || other.start >= end()) {
            return false;
        }
        long column = Math.floorMod(other.start - start, pitch);
        boolean sideBySide = pitch == other.pitch && width <= column && column <= pitch - other.width;
        return !sideBySide;
    }

    /** Whether {@code other}, of the same allocation, is a part of this. */
    boolean contains(RowBlock other) {
        return equals(other) || rows == 1 && other.rows == 1 && start <= other.start && other.end() <= end();
    }
}
