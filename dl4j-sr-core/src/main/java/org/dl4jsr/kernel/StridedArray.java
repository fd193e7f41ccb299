package org.dl4jsr.kernel;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * An array in raw memory as the kernels see it: all that can be said about where its elements lie. A vector, a matrix, a
 * batch of matrices, images [batch, channels, height, width]: the operation says what the dimensions mean.
 *
 * @param type storage
 * @param address of the element at index 0
 * @param shape sizes of the dimensions
 * @param strides in elements, one a dimension
 */
public record StridedArray(FloatType type, long address, long[] shape, long[] strides) {

    /** A dense array whose last dimension is contiguous. */
    public static StridedArray rowMajor(FloatType type, long address, long... shape) {
        return new StridedArray(type, address, shape, rowMajorStrides(shape));
    }

    private static long[] rowMajorStrides(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape[i];
        }
        return strides;
    }

    /** As the native kernels take it: the address, the sizes, the strides. */
    public long[] toArray() {
        long[] array = new long[1 + 2 * rank()];
        array[0] = address;
        System.arraycopy(shape, 0, array, 1, rank());
        System.arraycopy(strides, 0, array, 1 + rank(), rank());
        return array;
    }

    /** Number of dimensions. */
    public int rank() {
        return shape.length;
    }

    /** Number of elements. */
    public long length() {
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        return length;
    }

    /** Bytes of a dense copy. */
    public long bytes() {
        return length() * type.bytes();
    }

    /** The size of the last dimension but one. */
    public long rows() {
        return shape[shape.length - 2];
    }

    /** The size of the last dimension. */
    public long columns() {
        return shape[shape.length - 1];
    }

    /** Elements from a row to the next. */
    public long rowStride() {
        return strides[strides.length - 2];
    }

    /** Elements from a column to the next. */
    public long columnStride() {
        return strides[strides.length - 1];
    }

    /** Whether the elements lie in row-major order without gaps. */
    public boolean isDense() {
        return isDense(shape, strides);
    }

    /** Whether an array of this shape and these strides is dense, as {@link #isDense()} says. */
    public static boolean isDense(long[] shape, long[] strides) {
        long expected = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            if (shape[i] != 1 && strides[i] != expected) {
                return false;
            }
            expected *= shape[i];
        }
        return true;
    }

    /** Whether the elements fill a range of memory, in whatever order of the dimensions. */
    public boolean isContiguous() {
        long expected = 1;
        int[] order = byStride();
        for (int i = order.length - 1; i >= 0; i--) {
            if (strides[order[i]] != expected) {
                return false;
            }
            expected *= shape[order[i]];
        }
        return true;
    }

    /** Whether the elements fill a range of memory, and {@code other}, of the same shape, has them in the same order. */
    public boolean liesAs(StridedArray other) {
        return isContiguous() && Arrays.equals(strides, other.strides);
    }

    /** Whether each matrix of the last two dimensions has contiguous rows that do not overlap. */
    public boolean hasContiguousRows() {
        return (columns() == 1 || columnStride() == 1) && (rows() == 1 || rowStride() >= columns());
    }

    /** Whether the first element lies at a multiple of so many bytes. */
    public boolean isAligned(int bytes) {
        return address % bytes == 0;
    }

    /** Whether both lie in overlapping ranges of memory; strides must not be negative. */
    public boolean overlaps(StridedArray other) {
        return address < other.end() && other.address < end();
    }

    private long end() {
        long last = 0;
        for (int i = 0; i < shape.length; i++) {
            last += (shape[i] - 1) * strides[i];
        }
        return address + (last + 1) * type.bytes();
    }

    /** The dimensions of more than one element, largest stride first. */
    public int[] byStride() {
        int[] order = new int[strides.length];
        int count = 0;
        for (int i = 0; i < strides.length; i++) {
            if (shape[i] != 1) {
                int at = count++;
                for (; at > 0 && Math.abs(strides[order[at - 1]]) < Math.abs(strides[i]); at--) {
                    order[at] = order[at - 1];
                }
                order[at] = i;
            }
        }
        return Arrays.copyOf(order, count);
    }

    /** A dense row-major array of this shape in other memory. */
    public StridedArray rowMajorAt(long address) {
        return rowMajor(type, address, shape);
    }

    /** A dense array of this shape in other memory, its dimensions laid out in the same order as here. */
    public StridedArray denseAt(long address, FloatType type) {
        long[] dense = new long[shape.length];
        Arrays.fill(dense, 1);
        int[] order = byStride();
        long stride = 1;
        for (int i = order.length - 1; i >= 0; i--) {
            dense[order[i]] = stride;
            stride *= shape[order[i]];
        }
        return new StridedArray(type, address, shape, dense);
    }

    /** The same memory with the last two dimensions swapped. */
    public StridedArray transposed() {
        long[] newShape = shape.clone();
        long[] newStrides = strides.clone();
        int last = shape.length - 1;
        newShape[last] = shape[last - 1];
        newShape[last - 1] = shape[last];
        newStrides[last] = strides[last - 1];
        newStrides[last - 1] = strides[last];
        return new StridedArray(type, address, newShape, newStrides);
    }

    /** The part at {@code index} of the first dimension, which goes. */
    public StridedArray slice(long index) {
        return new StridedArray(
                type,
                address + index * strides[0] * type.bytes(),
                Arrays.copyOfRange(shape, 1, shape.length),
                Arrays.copyOfRange(strides, 1, shape.length));
    }

    /** The last two dimensions at so many elements behind the first one. */
    public StridedArray matrixAt(long offset) {
        int rank = shape.length;
        return new StridedArray(
                type,
                address + offset * type.bytes(),
                Arrays.copyOfRange(shape, rank - 2, rank),
                Arrays.copyOfRange(strides, rank - 2, rank));
    }

    /** The same memory without the dimensions of one element. */
    public StridedArray squeezed() {
        int[] kept = IntStream.range(0, shape.length).filter(i -> shape[i] != 1).toArray();
        return new StridedArray(
                type,
                address,
                Arrays.stream(kept).mapToLong(i -> shape[i]).toArray(),
                Arrays.stream(kept).mapToLong(i -> strides[i]).toArray());
    }

    /** The same memory with leading dimensions of one element, {@code rank} dimensions in all. */
    public StridedArray withRank(int rank) {
        int missing = rank - shape.length;
        if (missing == 0) {
            return this;
        }
        long[] newShape = new long[rank];
        long[] newStrides = new long[rank];
        Arrays.fill(newShape, 0, missing, 1);
        Arrays.fill(newStrides, 0, missing, 1);
        System.arraycopy(shape, 0, newShape, missing, shape.length);
        System.arraycopy(strides, 0, newStrides, missing, shape.length);
        return new StridedArray(type, address, newShape, newStrides);
    }

    /** The elements of an array of one dimension as the only row of a matrix. */
    public StridedArray asRow() {
        return new StridedArray(type, address, new long[] {1, length()}, new long[] {length(), columnStride()});
    }

    /** This array repeated to a shape by the rules of NumPy, with strides of 0; null where they do not allow it. */
    public StridedArray broadcastTo(long[] target) {
        int missing = target.length - shape.length;
        if (missing < 0) {
            return null;
        }
        long[] newStrides = new long[target.length];
        for (int i = missing; i < target.length; i++) {
            long size = shape[i - missing];
            if (size == target[i]) {
                newStrides[i] = strides[i - missing];
            } else if (size != 1) {
                return null;
            }
        }
        return new StridedArray(type, address, target, newStrides);
    }

    /** The same memory with one choice for the strides that do not matter, those of dimensions of one element. */
    public StridedArray canonical() {
        if (isDense()) {
            return rowMajorAt(address);
        }
        long[] newStrides = strides.clone();
        int last = shape.length - 1;
        if (shape[last] == 1) {
            newStrides[last] = 1;
            if (shape[last - 1] == 1) {
                newStrides[last - 1] = 1;
            }
        } else if (shape[last - 1] == 1) {
            newStrides[last - 1] = newStrides[last] == 1 ? shape[last] : 1;
        }
        for (int i = last - 2; i >= 0; i--) {
            if (shape[i] == 1) {
                long inner = shape[i + 1] * newStrides[i + 1];
                newStrides[i] = i < last - 2 ? inner : Math.max(inner, shape[last] * newStrides[last]);
            }
        }
        return new StridedArray(type, address, shape, newStrides);
    }

    /** Type and shape, and the strides where they are not those of a dense array, for messages. */
    @Override
    public String toString() {
        return type + " " + Arrays.toString(shape) + (isDense() ? "" : " with strides " + Arrays.toString(strides));
    }
}
