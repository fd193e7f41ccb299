package org.dl4jsr.kernel.reference;

import java.util.function.ToDoubleFunction;

/** The transformer's forward functions by the book, in double, and gradients by central differences. */
final class TransformerReference {

    private static final double STEP = 1e-4;

    private TransformerReference() {}

    static double[] layerNorm(double[] x, double[] gain, double[] bias, double epsilon) {
        int width = gain.length;
        double[] y = new double[x.length];
        for (int start = 0; start < x.length; start += width) {
            double mean = 0;
            for (int c = 0; c < width; c++) {
                mean += x[start + c] / width;
            }
            double variance = 0;
            for (int c = 0; c < width; c++) {
                variance += Math.pow(x[start + c] - mean, 2) / width;
            }
            for (int c = 0; c < width; c++) {
                y[start + c] = (x[start + c] - mean) / Math.sqrt(variance + epsilon) * gain[c] + bias[c];
            }
        }
        return y;
    }

    static double[] gelu(double[] x) {
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = 0.5 * x[i] * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x[i] + 0.044715 * Math.pow(x[i], 3))));
        }
        return y;
    }

    static double[] attention(double[] qkv, int batch, int time, int heads, int headWidth) {
        int width = heads * headWidth;
        double[] out = new double[batch * time * width];
        for (int b = 0; b < batch; b++) {
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < time; i++) {
                    int query = (b * time + i) * 3 * width + h * headWidth;
                    double[] weights = new double[i + 1];
                    double total = 0;
                    for (int j = 0; j <= i; j++) {
                        int key = (b * time + j) * 3 * width + width + h * headWidth;
                        double score = 0;
                        for (int c = 0; c < headWidth; c++) {
                            score += qkv[query + c] * qkv[key + c];
                        }
                        weights[j] = Math.exp(score / Math.sqrt(headWidth));
                        total += weights[j];
                    }
                    for (int j = 0; j <= i; j++) {
                        int value = (b * time + j) * 3 * width + 2 * width + h * headWidth;
                        for (int c = 0; c < headWidth; c++) {
                            out[(b * time + i) * width + h * headWidth + c] += weights[j] / total * qkv[value + c];
                        }
                    }
                }
            }
        }
        return out;
    }

    /** The loss of one row. */
    static double crossEntropy(double[] logits, int target) {
        double sum = 0;
        for (double logit : logits) {
            sum += Math.exp(logit - logits[target]);
        }
        return Math.log(sum);
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    /** The gradient of {@code loss} at {@code x} by central differences. */
    static double[] gradient(double[] x, ToDoubleFunction<double[]> loss) {
        double[] gradient = new double[x.length];
        double[] moved = x.clone();
        for (int i = 0; i < x.length; i++) {
            moved[i] = x[i] + STEP;
            double above = loss.applyAsDouble(moved);
            moved[i] = x[i] - STEP;
            double below = loss.applyAsDouble(moved);
            moved[i] = x[i];
            gradient[i] = (above - below) / (2 * STEP);
        }
        return gradient;
    }
}
