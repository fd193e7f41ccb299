package org.dl4jsr.kernel.composed;

import java.util.Arrays;
import java.util.function.Supplier;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.Convolution;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.TransformerKernels;
import org.dl4jsr.kernel.Window;

/**
 * Convolution as a product of matrices, of the windows of images and of the weights. The weights of a channel, and
 * their gradient, must lie in memory without gaps but for those of the other channels, in any order.
 */
public final class ProductConvolution implements Convolution {

    private final TransformerKernels kernels;
    private final ArrayKernels arrays;
    private final Matmul matmul;
    private final ThreadLocal<Workplace> workplaces;

    /** What one thread works in. */
    private record Workplace(GrowingMemory columns, GrowingMemory rows, GrowingMemory gradient) {}

    /**
     * Convolution by these kernels, which go together.
     *
     * @param memory makes memory that they can address
     */
    public ProductConvolution(
            TransformerKernels kernels, ArrayKernels arrays, Matmul matmul, Supplier<? extends GrowingMemory> memory) {
        this.kernels = kernels;
        this.arrays = arrays;
        this.matmul = matmul;
        workplaces = ThreadLocal.withInitial(() -> new Workplace(memory.get(), memory.get(), memory.get()));
    }

    @Override
    public void forward(StridedArray x, StridedArray weights, StridedArray bias, StridedArray y, Window window) {
        Workplace workplace = workplaces.get();
        StridedArray columns = columns(x, weights, y, FloatType.BFLOAT16, workplace.columns());
        arrays.im2col(x, columns, window);
        StridedArray rows = rows(y, workplace.rows());
        matmul.multiply(flat(columns), flat(weights), flatRows(rows), 1, 0, bias, null);
        if (!isInRows(y)) {
            arrays.copy(rows, y);
        }
    }

    @Override
    public void backward(
            StridedArray x,
            StridedArray weights,
            StridedArray dy,
            StridedArray dx,
            StridedArray dWeights,
            StridedArray dBias,
            Window window) {
        Workplace workplace = workplaces.get();
        StridedArray images = rows(dy, workplace.rows());
        if (!isInRows(dy)) {
            arrays.copy(dy, images);
        }
        StridedArray rows = flatRows(images);
        StridedArray columns = columns(x, dWeights, dy, FloatType.BFLOAT16, workplace.columns());
        arrays.im2col(x, columns, window);
        matmul.multiply(flat(columns).transposed(), rows, flat(dWeights));
        if (dx != null) {
            StridedArray dColumns = columns(x, weights, dy, FloatType.FLOAT, workplace.gradient());
            matmul.multiply(rows, flat(weights).transposed(), flat(dColumns));
            arrays.col2im(dColumns, dx, window);
        }
        if (dBias != null) {
            kernels.biasGradient(
                    FloatType.BFLOAT16, rows.address(), dBias.address(), (int) rows.rows(), (int) rows.columns());
        }
    }

    /** Memory for the windows of x, the elements of one in the order of a channel's weights. */
    private static StridedArray columns(
            StridedArray x, StridedArray weights, StridedArray y, FloatType type, GrowingMemory memory) {
        StridedArray window = weights.slice(0);
        long[] inWindow = window.denseAt(0, type).strides();
        long[] shape = window.shape();
        long size = window.length();
        return new StridedArray(
                type,
                memory.reserve(x.shape()[0] * y.rows() * y.columns() * size * type.bytes()),
                new long[] {x.shape()[0], shape[0], shape[1], shape[2], y.rows(), y.columns()},
                new long[] {
                    y.rows() * y.columns() * size, inWindow[0], inWindow[1], inWindow[2], y.columns() * size, size
                });
    }

    /** Such columns as a matrix, a window a row; or weights, an output channel a column. */
    private static StridedArray flat(StridedArray array) {
        if (array.rank() == 6) {
            long size = array.columnStride();
            return StridedArray.rowMajor(array.type(), array.address(), array.length() / size, size);
        }
        StridedArray window = array.slice(0);
        int[] order = window.byStride();
        long step = order.length == 0 ? 1 : window.strides()[order[order.length - 1]];
        return new StridedArray(
                array.type(), array.address(), new long[] {window.length(), array.shape()[0]}, new long[] {
                    step, array.strides()[0]
                });
    }

    /** y, if its channels lie last in memory, or memory where they do. */
    private static StridedArray rows(StridedArray y, GrowingMemory memory) {
        return isInRows(y)
                ? y
                : new StridedArray(y.type(), memory.reserve(y.bytes()), y.shape(), rowStrides(y.shape()));
    }

    private static boolean isInRows(StridedArray y) {
        return Arrays.equals(rowStrides(y.shape()), y.strides());
    }

    private static long[] rowStrides(long[] shape) {
        return new long[] {shape[1] * shape[2] * shape[3], 1, shape[1] * shape[3], shape[1]};
    }

    /** Such images as a matrix, a channel a column. */
    private static StridedArray flatRows(StridedArray images) {
        long channels = images.shape()[1];
        return StridedArray.rowMajor(images.type(), images.address(), images.length() / channels, channels);
    }
}
