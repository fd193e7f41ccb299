package org.dl4jsr.kernel.cpu;

import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/**
 * Convolution of BF16 images as a product of matrices, with FP32 sums that are rounded once. Images are
 * [batch, channels, height, width], weights and their gradient [window height, window width, channels in,
 * channels out], dense and row-major.
 */
public final class Convolution {

    private final Kernels kernels;
    private final ArrayKernels arrays;
    private final Matmul matmul;
    private final ThreadLocal<Workplace> workplaces = ThreadLocal.withInitial(Workplace::new);

    /** What one thread works in. */
    private static final class Workplace {
        final Scratch columns = new Scratch();
        final Scratch rows = new Scratch();
        final Scratch gradient = new Scratch();
    }

    /** Convolution by these kernels, which go together. */
    public Convolution(Kernels kernels, ArrayKernels arrays, Matmul matmul) {
        this.kernels = kernels;
        this.arrays = arrays;
        this.matmul = matmul;
    }

    /**
     * y = the convolution of x, plus bias.
     *
     * @param y [batch, channels out, rows, columns], dense and row-major; written
     * @param bias [1, channels out], or null
     */
    public void forward(StridedArray x, StridedArray weights, StridedArray bias, StridedArray y, Window window) {
        Workplace workplace = workplaces.get();
        StridedArray columns = columns(x, y, window, FloatType.BFLOAT16, workplace.columns);
        arrays.im2col(x, columns, window);
        StridedArray rows = rows(y, workplace.rows);
        matmul.multiply(flat(columns, y), flat(weights), rows, 1, 0, bias, null);
        long plane = y.rows() * y.columns();
        for (long b = 0; b < y.shape()[0]; b++) {
            kernels.transpose(
                    FloatType.BFLOAT16,
                    rows.address() + 2 * b * plane * rows.columns(),
                    y.address() + 2 * b * y.strides()[0],
                    (int) plane,
                    (int) rows.columns());
        }
    }

    /**
     * The gradients of {@link #forward}, all written.
     *
     * @param dy as y
     * @param dBias [1, channels out], dense, or null
     */
    public void backward(
            StridedArray x,
            StridedArray weights,
            StridedArray dy,
            StridedArray dx,
            StridedArray dWeights,
            StridedArray dBias,
            Window window) {
        Workplace workplace = workplaces.get();
        StridedArray rows = rows(dy, workplace.rows);
        long plane = dy.rows() * dy.columns();
        for (long b = 0; b < dy.shape()[0]; b++) {
            kernels.transpose(
                    FloatType.BFLOAT16,
                    dy.address() + 2 * b * dy.strides()[0],
                    rows.address() + 2 * b * plane * rows.columns(),
                    (int) rows.columns(),
                    (int) plane);
        }
        StridedArray columns = columns(x, dy, window, FloatType.BFLOAT16, workplace.columns);
        arrays.im2col(x, columns, window);
        matmul.multiply(flat(columns, dy).transposed(), rows, flat(dWeights));
        StridedArray dColumns = columns(x, dy, window, FloatType.FLOAT, workplace.gradient);
        matmul.multiply(rows, flat(weights).transposed(), flat(dColumns, dy));
        arrays.col2im(dColumns, dx, window);
        if (dBias != null) {
            kernels.biasGradient(
                    FloatType.BFLOAT16, rows.address(), dBias.address(), (int) rows.rows(), (int) rows.columns());
        }
    }

    /** The windows of x in memory ordered [batch, rows, columns, window height, window width, channels]. */
    private static StridedArray columns(StridedArray x, StridedArray y, Window window, FloatType type, Scratch memory) {
        long channels = x.shape()[1];
        long size = window.height() * window.width() * channels;
        long bytes = x.shape()[0] * y.rows() * y.columns() * size * type.bytes();
        return new StridedArray(
                type,
                memory.reserve(bytes),
                new long[] {x.shape()[0], channels, window.height(), window.width(), y.rows(), y.columns()},
                new long[] {
                    y.rows() * y.columns() * size, 1, window.width() * channels, channels, y.columns() * size, size
                });
    }

    /** Such columns as a matrix, a window a row. */
    private static StridedArray flat(StridedArray columns, StridedArray y) {
        long[] shape = columns.shape();
        return StridedArray.rowMajor(
                columns.type(), columns.address(), shape[0] * y.rows() * y.columns(), shape[1] * shape[2] * shape[3]);
    }

    /** The weights as a matrix, an output channel a column. */
    private static StridedArray flat(StridedArray weights) {
        long[] shape = weights.shape();
        return StridedArray.rowMajor(weights.type(), weights.address(), shape[0] * shape[1] * shape[2], shape[3]);
    }

    /** Memory for y with its channels last: [batch * rows * columns, channels out]. */
    private static StridedArray rows(StridedArray y, Scratch memory) {
        long rows = y.shape()[0] * y.rows() * y.columns();
        return StridedArray.rowMajor(
                y.type(), memory.reserve(rows * y.shape()[1] * y.type().bytes()), rows, y.shape()[1]);
    }
}
