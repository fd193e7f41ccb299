package org.dl4jsr.benchmarks.contract;

import java.util.Arrays;
import org.dl4jsr.kernel.StridedArray;

/** An array of any strides and what its memory holds at first, gaps included. */
record StridedContent(Content content, long[] shape, long[] strides) {

    /** The array where its memory has come to lie. */
    StridedArray at(long address) {
        return new StridedArray(content.type(), address, shape, strides);
    }

    /** As row-major, dense, of the same content. */
    static StridedContent dense(Content content, long... shape) {
        return new StridedContent(
                content, shape, StridedArray.rowMajor(content.type(), 0, shape).strides());
    }

    /** The same memory with the last two dimensions swapped. */
    StridedContent transposed() {
        StridedArray transposed = at(0).transposed();
        return new StridedContent(content, transposed.shape(), transposed.strides());
    }

    @Override
    public String toString() {
        return at(0) + " " + Arrays.toString(strides);
    }
}
