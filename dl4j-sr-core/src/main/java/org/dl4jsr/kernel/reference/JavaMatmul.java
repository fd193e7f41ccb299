package org.dl4jsr.kernel.reference;

import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;

/**
 * Matrix multiplication in plain Java: what the others are tested against, and what runs where oneDNN does not.
 * Takes any strides. Sums go up k in FP32.
 */
public final class JavaMatmul implements Matmul {

    private final int threads;

    /** Products on so many threads, 1 or more. */
    public JavaMatmul(int threads) {
        this.threads = threads;
    }

    @Override
    public String description() {
        return "Java loops";
    }

    @Override
    public void multiply(
            StridedArray a,
            StridedArray b,
            StridedArray c,
            float alpha,
            float beta,
            StridedArray bias,
            StridedArray residual) {
        Matmul.check(a, b, c, bias, residual);
        long rows = c.length() / c.columns();
        Parallel.loop(threads, rows, row -> {
            float[] sums = sums(a, b, c.shape(), row);
            long start = rowOffset(c, c.shape(), row);
            var out = new FloatArray(c.type(), c.address());
            for (int j = 0; j < sums.length; j++) {
                long at = start + j * c.columnStride();
                float value = alpha * sums[j];
                if (beta != 0) {
                    value += beta * out.get(at);
                }
                if (bias != null) {
                    value += new FloatArray(bias.type(), bias.address()).get(j * bias.columnStride());
                }
                if (residual != null) {
                    long from = rowOffset(residual, c.shape(), row) + j * residual.columnStride();
                    value += new FloatArray(residual.type(), residual.address()).get(from);
                }
                out.set(at, value);
            }
        });
    }

    /** Row {@code row} of a b, counted over all batches. */
    private static float[] sums(StridedArray a, StridedArray b, long[] shape, long row) {
        var left = new FloatArray(a.type(), a.address());
        var right = new FloatArray(b.type(), b.address());
        long leftStart = rowOffset(a, shape, row);
        long rightStart = rowOffset(b, shape, row - row % shape[shape.length - 2]);
        long leftStride = a.columnStride();
        long rightStride = b.columnStride();
        float[] sums = new float[Math.toIntExact(b.columns())];
        for (long k = 0; k < a.columns(); k++) {
            float factor = left.get(leftStart + k * leftStride);
            long from = rightStart + k * b.rowStride();
            for (int j = 0; j < sums.length; j++) {
                sums[j] += factor * right.get(from + j * rightStride);
            }
        }
        return sums;
    }

    /** Where row {@code row}, counted over the batches of {@code shape}, starts in {@code matrix}, in elements. */
    private static long rowOffset(StridedArray matrix, long[] shape, long row) {
        long offset = 0;
        for (int i = shape.length - 2; i >= 0; i--) {
            offset += row % shape[i] % matrix.shape()[i] * matrix.strides()[i];
            row /= shape[i];
        }
        return offset;
    }
}
