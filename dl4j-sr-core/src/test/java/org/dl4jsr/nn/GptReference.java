package org.dl4jsr.nn;

import java.util.Arrays;

/**
 * A GPT's loss in double, straight from the formulas, on the network's flattened parameters: what the layers are tested
 * against.
 */
final class GptReference {

    private final GptConfiguration shape;
    private final double[] parameters;
    private int next;

    GptReference(GptConfiguration shape, double[] parameters) {
        this.shape = shape;
        this.parameters = parameters;
    }

    /** The mean loss over labels that are not negative. */
    double loss(int[][] tokens, int[][] labels) {
        double sum = 0;
        int count = 0;
        double[][][] probabilities = probabilities(tokens);
        for (int b = 0; b < labels.length; b++) {
            for (int t = 0; t < labels[b].length; t++) {
                if (labels[b][t] >= 0) {
                    sum -= Math.log(probabilities[b][t][labels[b][t]]);
                    count++;
                }
            }
        }
        return sum / count;
    }

    /** [batch][time][vocabulary]. */
    double[][][] probabilities(int[][] tokens) {
        return Arrays.stream(tokens).map(this::probabilities).toArray(double[][][]::new);
    }

    private double[][] probabilities(int[] tokens) {
        int width = shape.width();
        next = 0;
        double[][] tokenTable = matrix(shape.vocabulary(), width);
        double[][] positionTable = matrix(shape.context(), width);
        double[][] x = new double[tokens.length][];
        for (int t = 0; t < tokens.length; t++) {
            x[t] = plus(tokenTable[tokens[t]], positionTable[t]);
        }
        for (int layer = 0; layer < shape.layers(); layer++) {
            x = block(x);
        }
        double[][] head = shape.tiedHead() ? tokenTable : matrix(shape.vocabulary(), width);
        double[] gain = vector(width);
        double[] bias = vector(width);
        double[][] probabilities = new double[tokens.length][];
        for (int t = 0; t < tokens.length; t++) {
            double[] normed = layerNorm(x[t], gain, bias);
            double[] logits = new double[head.length];
            for (int v = 0; v < head.length; v++) {
                logits[v] = dot(normed, head[v], 0, 0, width);
            }
            probabilities[t] = softmax(logits);
        }
        return probabilities;
    }

    private double[][] block(double[][] x) {
        int width = shape.width();
        double[][] qkv = matrix(width, 3 * width);
        double[][] projection = matrix(width, width);
        double[][] expand = matrix(width, 4 * width);
        double[][] contract = matrix(4 * width, width);
        double[] attentionGain = vector(width);
        double[] attentionBias = vector(width);
        double[] qkvBias = vector(3 * width);
        double[] projectionBias = vector(width);
        double[] mlpGain = vector(width);
        double[] mlpBias = vector(width);
        double[] expandBias = vector(4 * width);
        double[] contractBias = vector(width);
        double[][] q = new double[x.length][];
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            q[t] = plus(times(layerNorm(x[t], attentionGain, attentionBias), qkv), qkvBias);
            double[] middle = plus(x[t], plus(times(attention(q, t), projection), projectionBias));
            double[] expanded = plus(times(layerNorm(middle, mlpGain, mlpBias), expand), expandBias);
            double[] activated = Arrays.stream(expanded).map(GptReference::gelu).toArray();
            y[t] = plus(middle, plus(times(activated, contract), contractBias));
        }
        return y;
    }

    private double[] attention(double[][] qkv, int t) {
        int width = shape.width();
        int headWidth = width / shape.heads();
        double[] out = new double[width];
        for (int start = 0; start < width; start += headWidth) {
            double[] scores = new double[t + 1];
            for (int s = 0; s <= t; s++) {
                scores[s] = dot(qkv[t], qkv[s], start, width + start, headWidth) / Math.sqrt(headWidth);
            }
            double[] weights = softmax(scores);
            for (int s = 0; s <= t; s++) {
                for (int i = start; i < start + headWidth; i++) {
                    out[i] += weights[s] * qkv[s][2 * width + i];
                }
            }
        }
        return out;
    }

    private static double gelu(double x) {
        return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    private static double[] layerNorm(double[] x, double[] gain, double[] bias) {
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance =
                Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = (x[i] - mean) / Math.sqrt(variance + 1e-5) * gain[i] + bias[i];
        }
        return y;
    }

    private static double[] softmax(double[] scores) {
        double max = Arrays.stream(scores).max().orElseThrow();
        double[] e = Arrays.stream(scores).map(s -> Math.exp(s - max)).toArray();
        double sum = Arrays.stream(e).sum();
        return Arrays.stream(e).map(v -> v / sum).toArray();
    }

    private static double dot(double[] a, double[] b, int startA, int startB, int length) {
        double sum = 0;
        for (int i = 0; i < length; i++) {
            sum += a[startA + i] * b[startB + i];
        }
        return sum;
    }

    private static double[] times(double[] x, double[][] matrix) {
        double[] y = new double[matrix[0].length];
        for (int i = 0; i < x.length; i++) {
            for (int j = 0; j < y.length; j++) {
                y[j] += x[i] * matrix[i][j];
            }
        }
        return y;
    }

    private static double[] plus(double[] a, double[] b) {
        double[] sum = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            sum[i] = a[i] + b[i];
        }
        return sum;
    }

    private double[][] matrix(int rows, int columns) {
        double[][] matrix = new double[rows][];
        for (int i = 0; i < rows; i++) {
            matrix[i] = vector(columns);
        }
        return matrix;
    }

    private double[] vector(int length) {
        next += length;
        return Arrays.copyOfRange(parameters, next - length, next);
    }
}
