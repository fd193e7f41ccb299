package org.dl4jsr.kernel.reference;

import org.dl4jsr.kernel.Memory;

/**
 * Layer normalization (Ba, Kiros, Hinton, arXiv 1607.06450) of {@link JavaTransformerKernels}; everything between load and store
 * in double.
 */
final class JavaLayerNorm {

    private JavaLayerNorm() {}

    /** One row of the forward pass; {@code mean} and {@code rstd} are addresses of FP32 [rows]. */
    static void forward(
            FloatArray x,
            FloatArray gain,
            FloatArray bias,
            FloatArray y,
            long mean,
            long rstd,
            long row,
            int width,
            float epsilon) {
        long start = row * width;
        double sum = 0;
        for (int c = 0; c < width; c++) {
            sum += x.get(start + c);
        }
        double center = sum / width;
        double squares = 0;
        for (int c = 0; c < width; c++) {
            double deviation = x.get(start + c) - center;
            squares += deviation * deviation;
        }
        double scale = 1 / Math.sqrt(squares / width + epsilon);
        for (int c = 0; c < width; c++) {
            y.set(start + c, (x.get(start + c) - center) * scale * gain.get(c) + bias.get(c));
        }
        Memory.putFloat(mean + 4 * row, (float) center);
        Memory.putFloat(rstd + 4 * row, (float) scale);
    }

    /** One row of dx; {@code residual} may be null or dx. */
    static void backward(
            FloatArray x,
            FloatArray gain,
            long mean,
            long rstd,
            FloatArray dy,
            FloatArray residual,
            FloatArray dx,
            long row,
            int width) {
        long start = row * width;
        double sum = 0;
        double product = 0;
        for (int c = 0; c < width; c++) {
            double d = (double) dy.get(start + c) * gain.get(c);
            sum += d;
            product += d * normalized(x, mean, rstd, row, width, c);
        }
        for (int c = 0; c < width; c++) {
            double d = (double) dy.get(start + c) * gain.get(c);
            double gradient = (d - sum / width - normalized(x, mean, rstd, row, width, c) * product / width)
                    * Memory.getFloat(rstd + 4 * row);
            dx.set(start + c, residual == null ? gradient : gradient + residual.get(start + c));
        }
    }

    /** One column of dGain and dBias. */
    static void columnBackward(
            FloatArray x,
            long mean,
            long rstd,
            FloatArray dy,
            FloatArray dGain,
            FloatArray dBias,
            int rows,
            int width,
            int column) {
        double gainSum = 0;
        double biasSum = 0;
        for (int row = 0; row < rows; row++) {
            double d = dy.get((long) row * width + column);
            gainSum += d * normalized(x, mean, rstd, row, width, column);
            biasSum += d;
        }
        dGain.set(column, gainSum);
        dBias.set(column, biasSum);
    }

    private static double normalized(FloatArray x, long mean, long rstd, long row, int width, int column) {
        return ((double) x.get(row * width + column) - Memory.getFloat(mean + 4 * row))
                * Memory.getFloat(rstd + 4 * row);
    }
}
