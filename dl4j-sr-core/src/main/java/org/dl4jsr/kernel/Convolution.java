package org.dl4jsr.kernel;

/**
 * Convolution of BF16 images as a product of matrices, with FP32 sums that are rounded once. Images are
 * [batch, channels, height, width], weights and their gradient [window height, window width, channels in,
 * channels out], dense and row-major.
 */
public final class Convolution {

    private static final ThreadLocal<Convolution> OF_THREAD = ThreadLocal.withInitial(Convolution::new);

    private final Scratch columnsMemory = new Scratch();
    private final Scratch rowsMemory = new Scratch();
    private final Scratch gradientMemory = new Scratch();

    private Convolution() {}

    /** The one of the calling thread, which keeps the memory that it works in. */
    public static Convolution get() {
        return OF_THREAD.get();
    }

    /**
     * y = the convolution of x, plus bias.
     *
     * @param y [batch, channels out, rows, columns], dense and row-major; written
     * @param bias [1, channels out], or null
     */
    public void forward(Matrix x, Matrix weights, Matrix bias, Matrix y, Window window) {
        Matrix columns = columns(x, y, window, FloatType.BFLOAT16, columnsMemory);
        ArrayKernels.get().im2col(x, columns, window);
        Matrix rows = rows(y, rowsMemory);
        Matmul.get().multiply(flat(columns, y), flat(weights), rows, 1, 0, bias, null);
        long plane = y.rows() * y.columns();
        for (long b = 0; b < y.shape()[0]; b++) {
            Kernels.get()
                    .transpose(
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
    public void backward(Matrix x, Matrix weights, Matrix dy, Matrix dx, Matrix dWeights, Matrix dBias, Window window) {
        Matrix rows = rows(dy, rowsMemory);
        long plane = dy.rows() * dy.columns();
        for (long b = 0; b < dy.shape()[0]; b++) {
            Kernels.get()
                    .transpose(
                            FloatType.BFLOAT16,
                            dy.address() + 2 * b * dy.strides()[0],
                            rows.address() + 2 * b * plane * rows.columns(),
                            (int) rows.columns(),
                            (int) plane);
        }
        Matrix columns = columns(x, dy, window, FloatType.BFLOAT16, columnsMemory);
        ArrayKernels.get().im2col(x, columns, window);
        Matmul.get().multiply(flat(columns, dy).transposed(), rows, flat(dWeights));
        Matrix dColumns = columns(x, dy, window, FloatType.FLOAT, gradientMemory);
        Matmul.get().multiply(rows, flat(weights).transposed(), flat(dColumns, dy));
        ArrayKernels.get().col2im(dColumns, dx, window);
        if (dBias != null) {
            Kernels.get().biasGradient(FloatType.BFLOAT16, rows.address(), dBias.address(), (int) rows.rows(), (int)
                    rows.columns());
        }
    }

    /** The windows of x in memory ordered [batch, rows, columns, window height, window width, channels]. */
    private static Matrix columns(Matrix x, Matrix y, Window window, FloatType type, Scratch memory) {
        long channels = x.shape()[1];
        long size = window.height() * window.width() * channels;
        long bytes = x.shape()[0] * y.rows() * y.columns() * size * type.bytes();
        return new Matrix(
                type,
                memory.reserve(bytes),
                new long[] {x.shape()[0], channels, window.height(), window.width(), y.rows(), y.columns()},
                new long[] {
                    y.rows() * y.columns() * size, 1, window.width() * channels, channels, y.columns() * size, size
                });
    }

    /** Such columns as a matrix, a window a row. */
    private static Matrix flat(Matrix columns, Matrix y) {
        long[] shape = columns.shape();
        return Matrix.rowMajor(
                columns.type(), columns.address(), shape[0] * y.rows() * y.columns(), shape[1] * shape[2] * shape[3]);
    }

    /** The weights as a matrix, an output channel a column. */
    private static Matrix flat(Matrix weights) {
        long[] shape = weights.shape();
        return Matrix.rowMajor(weights.type(), weights.address(), shape[0] * shape[1] * shape[2], shape[3]);
    }

    /** Memory for y with its channels last: [batch * rows * columns, channels out]. */
    private static Matrix rows(Matrix y, Scratch memory) {
        long rows = y.shape()[0] * y.rows() * y.columns();
        return Matrix.rowMajor(
                y.type(), memory.reserve(rows * y.shape()[1] * y.type().bytes()), rows, y.shape()[1]);
    }
}
