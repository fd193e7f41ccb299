package org.dl4jsr.kernel.reference;

import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;

/** Batch normalization of {@link JavaArrayKernels}; everything between load and store in double. */
final class JavaBatchNorm {

    private final StridedArray shape;
    private final FloatArray x;
    private final FloatArray gain;
    private final FloatArray mean;
    private final FloatArray variance;
    private final float epsilon;

    JavaBatchNorm(StridedArray x, long gain, long mean, long variance, float epsilon) {
        shape = x;
        this.x = values(x);
        this.gain = new FloatArray(FloatType.BFLOAT16, gain);
        this.mean = new FloatArray(FloatType.FLOAT, mean);
        this.variance = new FloatArray(FloatType.FLOAT, variance);
        this.epsilon = epsilon;
    }

    private interface Element {
        void at(long index);
    }

    static void statistics(StridedArray x, long mean, long variance) {
        var values = values(x);
        var means = new FloatArray(FloatType.FLOAT, mean);
        var variances = new FloatArray(FloatType.FLOAT, variance);
        long elements = x.shape()[0] * x.shape()[2];
        for (int c = 0; c < x.shape()[1]; c++) {
            double[] sums = new double[2];
            forEach(x, c, i -> sums[0] += values.get(i));
            double center = sums[0] / elements;
            forEach(x, c, i -> sums[1] += (values.get(i) - center) * (values.get(i) - center));
            means.set(c, center);
            variances.set(c, sums[1] / elements);
        }
    }

    void forward(long bias, StridedArray y) {
        var biases = new FloatArray(FloatType.BFLOAT16, bias);
        var results = values(y);
        for (int c = 0; c < shape.shape()[1]; c++) {
            double center = mean.get(c);
            double scale = rstd(c) * gain.get(c);
            double shift = biases.get(c);
            forEach(shape, c, i -> results.set(i, (x.get(i) - center) * scale + shift));
        }
    }

    void backward(StridedArray dy, StridedArray dx, long dGain, long dBias) {
        var gradients = values(dy);
        var results = values(dx);
        long elements = shape.shape()[0] * shape.shape()[2];
        for (int c = 0; c < shape.shape()[1]; c++) {
            double center = mean.get(c);
            double rstd = rstd(c);
            double scale = rstd * gain.get(c);
            double[] sums = new double[2];
            forEach(shape, c, i -> {
                sums[0] += gradients.get(i);
                sums[1] += gradients.get(i) * (x.get(i) - center) * rstd;
            });
            forEach(
                    shape,
                    c,
                    i -> results.set(
                            i,
                            scale
                                    * (gradients.get(i)
                                            - sums[0] / elements
                                            - (x.get(i) - center) * rstd * sums[1] / elements)));
            new FloatArray(FloatType.BFLOAT16, dGain).set(c, sums[1]);
            new FloatArray(FloatType.BFLOAT16, dBias).set(c, sums[0]);
        }
    }

    private double rstd(int channel) {
        return 1 / Math.sqrt((double) variance.get(channel) + epsilon);
    }

    private static FloatArray values(StridedArray array) {
        return new FloatArray(array.type(), array.address());
    }

    /** Calls for the elements of one channel. */
    private static void forEach(StridedArray array, int channel, Element element) {
        long[] strides = array.strides();
        for (long o = 0; o < array.shape()[0]; o++) {
            for (long i = 0; i < array.shape()[2]; i++) {
                element.at(o * strides[0] + channel * strides[1] + i * strides[2]);
            }
        }
    }
}
