package org.dl4jsr.kernel;

/**
 * Matrix multiplication in plain Java: what the others are tested against, and what runs where oneDNN does not.
 * Takes any strides. Sums go up k in FP32.
 */
public final class JavaMatmul implements Matmul {

    @Override
    public String description() {
        return "Java loops";
    }

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, float alpha, float beta, Matrix bias, Matrix residual) {
        Operands.check(a, b, c, bias, residual);
        long rows = StridedCopy.length(c.shape()) / c.columns();
        Parallel.loop(Runtime.getRuntime().availableProcessors(), rows, row -> {
            float[] sums = sums(a, b, c.shape(), row);
            long start = rowOffset(c, c.shape(), row);
            var out = new FloatArray(c.type(), c.address());
            for (int j = 0; j < sums.length; j++) {
                long at = start + j * columnStride(c);
                float value = alpha * sums[j];
                if (beta != 0) {
                    value += beta * out.get(at);
                }
                if (bias != null) {
                    value += new FloatArray(bias.type(), bias.address()).get(j * columnStride(bias));
                }
                if (residual != null) {
                    long from = rowOffset(residual, c.shape(), row) + j * columnStride(residual);
                    value += new FloatArray(residual.type(), residual.address()).get(from);
                }
                out.set(at, value);
            }
        });
    }

    /** Row {@code row} of a b, counted over all batches. */
    private static float[] sums(Matrix a, Matrix b, long[] shape, long row) {
        var left = new FloatArray(a.type(), a.address());
        var right = new FloatArray(b.type(), b.address());
        long leftStart = rowOffset(a, shape, row);
        long rightStart = rowOffset(b, shape, row - row % shape[shape.length - 2]);
        long leftStride = columnStride(a);
        long rightStride = columnStride(b);
        float[] sums = new float[Math.toIntExact(b.columns())];
        for (long k = 0; k < a.columns(); k++) {
            float factor = left.get(leftStart + k * leftStride);
            long from = rightStart + k * b.strides()[b.strides().length - 2];
            for (int j = 0; j < sums.length; j++) {
                sums[j] += factor * right.get(from + j * rightStride);
            }
        }
        return sums;
    }

    /** Where row {@code row}, counted over the batches of {@code shape}, starts in {@code matrix}, in elements. */
    private static long rowOffset(Matrix matrix, long[] shape, long row) {
        long offset = 0;
        for (int i = shape.length - 2; i >= 0; i--) {
            offset += row % shape[i] % matrix.shape()[i] * matrix.strides()[i];
            row /= shape[i];
        }
        return offset;
    }

    private static long columnStride(Matrix matrix) {
        return matrix.strides()[matrix.strides().length - 1];
    }
}
