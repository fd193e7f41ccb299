package org.dl4jsr.kernel.reference;

import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.AttentionShape;
import org.dl4jsr.kernel.ElementLoops;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;
import org.dl4jsr.rounding.BFloat16;

/** The array kernels in plain Java, on any platform: what the native ones are tested against. */
public final class JavaArrayKernels implements ArrayKernels {

    @Override
    public void copy(StridedArray source, StridedArray target) {
        boolean floats = source.type() == FloatType.FLOAT;
        if (source.type() == target.type()) {
            ElementLoops.over(source, target)
                    .forEach(
                            floats
                                    ? at -> Memory.putInt(
                                            target.address() + 4 * at[1], Memory.getInt(source.address() + 4 * at[0]))
                                    : at -> Memory.putShort(
                                            target.address() + 2 * at[1],
                                            Memory.getShort(source.address() + 2 * at[0])));
        } else {
            ElementLoops.over(source, target)
                    .forEach(
                            floats
                                    ? at -> put(target, at[1], Memory.getFloat(source.address() + 4 * at[0]))
                                    : at -> Memory.putInt(
                                            target.address() + 4 * at[1],
                                            Memory.getShort(source.address() + 2 * at[0]) << 16));
        }
    }

    @Override
    public void arithmetic(Arithmetic operation, StridedArray a, StridedArray b, StridedArray c) {
        ElementLoops.over(a, b, c).forEach(at -> put(c, at[2], operation.of(get(a, at[0]), get(b, at[1]))));
    }

    @Override
    public void arithmetic(Arithmetic operation, StridedArray a, float b, StridedArray c) {
        ElementLoops.over(a, c).forEach(at -> put(c, at[1], operation.of(get(a, at[0]), b)));
    }

    @Override
    public void lookUp(long table, StridedArray x, StridedArray y) {
        ElementLoops.over(x, y)
                .forEach(at -> Memory.putShort(y.address() + 2 * at[1], Memory.getShort(table + 2L * bits(x, at[0]))));
    }

    @Override
    public void multiplyLookUp(long table, boolean gate, StridedArray x, StridedArray dy, StridedArray dx) {
        ElementLoops.over(x, dy, dx).forEach(at -> {
            float slope = Memory.getFloat(table + 4L * bits(x, at[0]));
            put(dx, at[2], gate && slope == 0 ? 0 : get(dy, at[1]) * slope);
        });
    }

    @Override
    public void im2col(StridedArray image, StridedArray columns, Window window) {
        forEachWindow(columns, 4, (at, position) -> {
            for (long i = 0; i < window.height(); i++) {
                for (long j = 0; j < window.width(); j++) {
                    long from = element(image, at[0], at[1], window.row(at[2], i), window.column(at[3], j));
                    Memory.putShort(
                            columns.address() + 2 * inWindow(columns, position, i, j),
                            from < 0 ? 0 : Memory.getShort(image.address() + 2 * from));
                }
            }
        });
    }

    @Override
    public void col2im(StridedArray columns, StridedArray image, Window window) {
        var sums = new Sums(image);
        var values = new FloatArray(columns.type(), columns.address());
        for (long i = 0; i < window.height(); i++) {
            for (long j = 0; j < window.width(); j++) {
                long row = i;
                long column = j;
                forEachWindow(
                        columns,
                        4,
                        (at, position) -> sums.add(
                                at[0],
                                at[1],
                                window.row(at[2], row),
                                window.column(at[3], column),
                                values.get(inWindow(columns, position, row, column))));
            }
        }
        sums.store();
    }

    @Override
    public void maxPool(StridedArray x, StridedArray y, Window window) {
        forEachWindow(y, 2, (at, position) -> {
            long[] greatest = greatest(x, at, window);
            put(
                    y,
                    position,
                    greatest == null
                            ? Float.NEGATIVE_INFINITY
                            : get(x, element(x, at[0], at[1], greatest[0], greatest[1])));
        });
    }

    @Override
    public void maxPoolGradient(StridedArray x, StridedArray dy, StridedArray dx, Window window) {
        var sums = new Sums(dx);
        forEachWindow(dy, 2, (at, position) -> {
            long[] greatest = greatest(x, at, window);
            if (greatest != null) {
                sums.add(at[0], at[1], greatest[0], greatest[1], get(dy, position));
            }
        });
        sums.store();
    }

    @Override
    public void averagePool(StridedArray x, StridedArray y, Window window, boolean padding) {
        forEachWindow(y, 2, (at, position) -> {
            float sum = 0;
            for (long i = 0; i < window.height(); i++) {
                for (long j = 0; j < window.width(); j++) {
                    long from = element(x, at[0], at[1], window.row(at[2], i), window.column(at[3], j));
                    sum += from < 0 ? 0 : get(x, from);
                }
            }
            put(y, position, sum / count(x, at, window, padding));
        });
    }

    @Override
    public void averagePoolGradient(StridedArray dy, StridedArray dx, Window window, boolean padding) {
        var sums = new Sums(dx);
        forEachWindow(dy, 2, (at, position) -> {
            float share = get(dy, position) / count(dx, at, window, padding);
            for (long i = 0; i < window.height(); i++) {
                for (long j = 0; j < window.width(); j++) {
                    sums.add(at[0], at[1], window.row(at[2], i), window.column(at[3], j), share);
                }
            }
        });
        sums.store();
    }

    /** How many elements of an average over the window at [batch, channel, row, column] count. */
    private static long count(StridedArray x, long[] at, Window window, boolean padding) {
        long count = 0;
        for (long i = 0; i < window.height(); i++) {
            for (long j = 0; j < window.width(); j++) {
                count += padding || element(x, 0, 0, window.row(at[2], i), window.column(at[3], j)) >= 0 ? 1 : 0;
            }
        }
        return count;
    }

    /** Row and column of the greatest number in the window at [batch, channel, row, column]; null for none. */
    private static long[] greatest(StridedArray x, long[] at, Window window) {
        long[] greatest = null;
        float most = Float.NEGATIVE_INFINITY;
        for (long i = 0; i < window.height(); i++) {
            for (long j = 0; j < window.width(); j++) {
                long row = window.row(at[2], i);
                long column = window.column(at[3], j);
                long from = element(x, at[0], at[1], row, column);
                if (from >= 0 && get(x, from) > most) {
                    most = get(x, from);
                    greatest = new long[] {row, column};
                }
            }
        }
        return greatest;
    }

    /**
     * Calls {@code body} for all windows of {@code array}, whose dimensions 0 and 1 are batch and channels, and those
     * from {@code rows} on the windows' rows and columns.
     */
    private static void forEachWindow(StridedArray array, int rows, WindowBody body) {
        long[] shape = array.shape();
        long[] strides = array.strides();
        for (long b = 0; b < shape[0]; b++) {
            for (long c = 0; c < shape[1]; c++) {
                for (long row = 0; row < shape[rows]; row++) {
                    for (long column = 0; column < shape[rows + 1]; column++) {
                        body.accept(
                                new long[] {b, c, row, column},
                                b * strides[0] + c * strides[1] + row * strides[rows] + column * strides[rows + 1]);
                    }
                }
            }
        }
    }

    private interface WindowBody {
        /** Takes [batch, channel, row, column] and where that lies in the array, in elements. */
        void accept(long[] at, long position);
    }

    private static long inWindow(StridedArray columns, long position, long i, long j) {
        return position + i * columns.strides()[2] + j * columns.strides()[3];
    }

    /** Where in {@code image} an element lies, -1 for outside. */
    private static long element(StridedArray image, long batch, long channel, long row, long column) {
        long[] strides = image.strides();
        boolean inside = row >= 0 && row < image.rows() && column >= 0 && column < image.columns();
        return inside ? batch * strides[0] + channel * strides[1] + row * strides[2] + column * strides[3] : -1;
    }

    /** FP32 sums for the elements of an image. */
    private static final class Sums {

        private final StridedArray image;
        private final StridedArray dense;
        private final float[] sums;

        Sums(StridedArray image) {
            this.image = image;
            dense = image.denseAt(0, FloatType.FLOAT);
            sums = new float[Math.toIntExact(image.length())];
        }

        /** Outside of the image it is left out. */
        void add(long batch, long channel, long row, long column, float value) {
            long at = element(dense, batch, channel, row, column);
            if (at >= 0) {
                sums[(int) at] += value;
            }
        }

        void store() {
            ElementLoops.over(dense, image).forEach(at -> put(image, at[1], sums[(int) at[0]]));
        }
    }

    private static int bits(StridedArray matrix, long offset) {
        return Memory.getShort(matrix.address() + 2 * offset) & 0xFFFF;
    }

    private static float get(StridedArray matrix, long offset) {
        return BFloat16.toFloat(Memory.getShort(matrix.address() + 2 * offset));
    }

    private static void put(StridedArray matrix, long offset, float value) {
        Memory.putShort(matrix.address() + 2 * offset, BFloat16.fromFloat(value));
    }

    @Override
    public void lstmCell(long gates, long bias, long previous, long cell, long output, int rows, int width) {
        new JavaLstm(gates, previous, cell, width).forward(bias, output, rows);
    }

    @Override
    public void lstmCellGradient(
            long gates,
            long previous,
            long cell,
            long dOutput,
            long dState,
            long dCell,
            long dGates,
            int rows,
            int width) {
        new JavaLstm(gates, previous, cell, width).backward(dOutput, dState, dCell, dGates, rows);
    }

    @Override
    public void batchNormStatistics(StridedArray x, long mean, long variance) {
        JavaBatchNorm.statistics(x, mean, variance);
    }

    @Override
    public void batchNorm(
            StridedArray x, long gain, long bias, long mean, long variance, float epsilon, StridedArray y) {
        new JavaBatchNorm(x, gain, mean, variance, epsilon).forward(bias, y);
    }

    @Override
    public void batchNormGradient(
            StridedArray x,
            long gain,
            long mean,
            long variance,
            float epsilon,
            StridedArray dy,
            StridedArray dx,
            long dGain,
            long dBias) {
        new JavaBatchNorm(x, gain, mean, variance, epsilon).backward(dy, dx, dGain, dBias);
    }

    @Override
    public void keyAttention(AttentionShape shape, long q, long k, long v, long visible, long out, long logSumExp) {
        for (int head = 0; head < shape.batch() * shape.heads(); head++) {
            attention(shape, q, k, v, visible, head).forward(bf16(out), logSumExp + 4L * head * shape.queries());
        }
    }

    @Override
    public void keyAttentionGradient(
            AttentionShape shape,
            long q,
            long k,
            long v,
            long visible,
            long out,
            long logSumExp,
            long dOut,
            long dQ,
            long dK,
            long dV) {
        for (int head = 0; head < shape.batch() * shape.heads(); head++) {
            attention(shape, q, k, v, visible, head)
                    .backward(
                            bf16(out),
                            logSumExp + 4L * head * shape.queries(),
                            bf16(dOut),
                            bf16(dQ),
                            bf16(dK),
                            bf16(dV));
        }
    }

    private static JavaAttention attention(AttentionShape shape, long q, long k, long v, long visible, int head) {
        long keys = visible == 0 ? 0 : visible + 2L * (head / shape.heads()) * shape.keys();
        return JavaAttention.toKeys(shape, head, bf16(q), bf16(k), bf16(v), keys == 0 ? null : bf16(keys));
    }

    private static FloatArray bf16(long address) {
        return new FloatArray(FloatType.BFLOAT16, address);
    }
}
