package org.dl4jsr.backend;

import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The stretch of an allocation that an array's elements lie in.
 *
 * @param root the allocation, which is the same for all views of it; by identity: its equals reads contents
 * @param start first element
 * @param end behind the last element
 */
public record Extent(DataBuffer root, long start, long end) {

    /** The extent of {@code array}, which is not empty. */
    public static Extent of(INDArray array) {
        long start = array.offset();
        long end = start + 1;
        for (int i = 0; i < array.rank(); i++) {
            end += (array.size(i) - 1) * Math.abs(array.stride(i));
        }
        return new Extent(Bf16Arrays.root(array), start, end);
    }

    /** Whether the two may have elements in common. */
    public boolean overlaps(Extent other) {
        return root == other.root && start < other.end && other.start < end;
    }
}
