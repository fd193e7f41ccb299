package org.dl4jsr.kernel;

/**
 * A strided view of memory as a matrix or a batch of matrices.
 *
 * @param type storage
 * @param address of the element at index 0
 * @param shape [..., rows, columns]
 * @param strides in elements, one a dimension
 */
public record Matrix(FloatType type, long address, long[] shape, long[] strides) {

    /** A dense row-major matrix [rows, columns]. */
    public static Matrix rowMajor(FloatType type, long address, long rows, long columns) {
        return new Matrix(type, address, new long[] {rows, columns}, new long[] {columns, 1});
    }

    /** The size of the last dimension but one. */
    public long rows() {
        return shape[shape.length - 2];
    }

    /** The size of the last dimension. */
    public long columns() {
        return shape[shape.length - 1];
    }

    /** The same memory with the last two dimensions swapped. */
    public Matrix transposed() {
        long[] newShape = shape.clone();
        long[] newStrides = strides.clone();
        int last = shape.length - 1;
        newShape[last] = shape[last - 1];
        newShape[last - 1] = shape[last];
        newStrides[last] = strides[last - 1];
        newStrides[last - 1] = strides[last];
        return new Matrix(type, address, newShape, newStrides);
    }
}
