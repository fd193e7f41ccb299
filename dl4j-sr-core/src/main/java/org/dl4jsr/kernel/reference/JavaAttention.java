package org.dl4jsr.kernel.reference;

import org.dl4jsr.kernel.Memory;

/**
 * Causal attention of one head of one sequence for {@link JavaKernels}: a row of scores at a time, as FlashAttention
 * computes it (Dao, arXiv 2307.08691), everything between load and store in double.
 */
final class JavaAttention {

    private final int time;
    private final int headWidth;
    private final int modelWidth;
    private final long firstRow;
    private final int head;
    private final double scale;
    private final double[] q;
    private final double[] k;
    private final double[] v;
    private final double[] p;

    /** @param index batch index * heads + head */
    JavaAttention(FloatArray qkv, long index, int time, int heads, int headWidth) {
        this.time = time;
        this.headWidth = headWidth;
        modelWidth = heads * headWidth;
        firstRow = index / heads * time;
        head = (int) (index % heads);
        scale = 1 / Math.sqrt(headWidth);
        q = load(qkv, 3 * modelWidth, 0);
        k = load(qkv, 3 * modelWidth, modelWidth);
        v = load(qkv, 3 * modelWidth, 2 * modelWidth);
        p = new double[time];
    }

    /** @param logSumExp address of this head's FP32 [time] */
    void forward(FloatArray out, long logSumExp) {
        double[] o = new double[time * headWidth];
        for (int i = 0; i < time; i++) {
            double max = Double.NEGATIVE_INFINITY;
            for (int j = 0; j <= i; j++) {
                p[j] = scale * dot(q, i, k, j);
                max = Math.max(max, p[j]);
            }
            double sum = 0;
            for (int j = 0; j <= i; j++) {
                p[j] = Math.exp(p[j] - max);
                sum += p[j];
            }
            for (int j = 0; j <= i; j++) {
                addScaled(o, i, p[j] / sum, v, j);
            }
            Memory.putFloat(logSumExp + 4L * i, (float) (max + Math.log(sum)));
        }
        store(o, out, modelWidth, 0);
    }

    /** @param logSumExp address of this head's FP32 [time] */
    void backward(FloatArray out, long logSumExp, FloatArray dOut, FloatArray dQkv) {
        double[] o = load(out, modelWidth, 0);
        double[] dO = load(dOut, modelWidth, 0);
        double[] dq = new double[time * headWidth];
        double[] dk = new double[time * headWidth];
        double[] dv = new double[time * headWidth];
        for (int i = 0; i < time; i++) {
            double delta = dot(o, i, dO, i);
            double lse = Memory.getFloat(logSumExp + 4L * i);
            for (int j = 0; j <= i; j++) {
                double probability = Math.exp(scale * dot(q, i, k, j) - lse);
                double dScore = probability * (dot(dO, i, v, j) - delta) * scale;
                addScaled(dv, j, probability, dO, i);
                addScaled(dq, i, dScore, k, j);
                addScaled(dk, j, dScore, q, i);
            }
        }
        store(dq, dQkv, 3 * modelWidth, 0);
        store(dk, dQkv, 3 * modelWidth, modelWidth);
        store(dv, dQkv, 3 * modelWidth, 2 * modelWidth);
    }

    /** This head's [time, headWidth] of a matrix whose rows are {@code rowLength} long, from {@code column} on. */
    private double[] load(FloatArray matrix, int rowLength, int column) {
        double[] values = new double[time * headWidth];
        for (int i = 0; i < time; i++) {
            for (int c = 0; c < headWidth; c++) {
                values[i * headWidth + c] = matrix.get(index(rowLength, column, i, c));
            }
        }
        return values;
    }

    private void store(double[] values, FloatArray matrix, int rowLength, int column) {
        for (int i = 0; i < time; i++) {
            for (int c = 0; c < headWidth; c++) {
                matrix.set(index(rowLength, column, i, c), values[i * headWidth + c]);
            }
        }
    }

    private long index(int rowLength, int column, int i, int c) {
        return (firstRow + i) * rowLength + column + (long) head * headWidth + c;
    }

    private double dot(double[] a, int aRow, double[] b, int bRow) {
        double sum = 0;
        for (int c = 0; c < headWidth; c++) {
            sum += a[aRow * headWidth + c] * b[bRow * headWidth + c];
        }
        return sum;
    }

    /** Row {@code toRow} of {@code to} += factor * row {@code row} of {@code from}. */
    private void addScaled(double[] to, int toRow, double factor, double[] from, int row) {
        for (int c = 0; c < headWidth; c++) {
            to[toRow * headWidth + c] += factor * from[row * headWidth + c];
        }
    }
}
