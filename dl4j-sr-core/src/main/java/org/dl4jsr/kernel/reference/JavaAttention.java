package org.dl4jsr.kernel.reference;

import org.dl4jsr.kernel.AttentionShape;
import org.dl4jsr.kernel.Memory;

/**
 * Attention of one head of one sequence, causal or to all visible keys: a row of scores at a time, as FlashAttention
 * computes it (Dao, arXiv 2307.08691), everything between load and store in double.
 */
final class JavaAttention {

    private final AttentionShape shape;
    private final long index;
    private final int headWidth;
    private final double scale;
    private final boolean causal;
    private final FloatArray visible;
    /** Columns from a row of q, k or v to the next, and from one of these to the next. */
    private final int rowLength;

    private final int part;
    private final double[] q;
    private final double[] k;
    private final double[] v;
    private final double[] p;

    private JavaAttention(
            AttentionShape shape,
            long index,
            FloatArray q,
            FloatArray k,
            FloatArray v,
            FloatArray visible,
            boolean causal) {
        this.shape = shape;
        this.index = index;
        this.visible = visible;
        this.causal = causal;
        headWidth = shape.headWidth();
        scale = 1 / Math.sqrt(headWidth);
        part = causal ? shape.width() : 0;
        rowLength = causal ? 3 * shape.width() : shape.width();
        this.q = load(q, shape.queries(), rowLength, 0);
        this.k = load(k, shape.keys(), rowLength, part);
        this.v = load(v, shape.keys(), rowLength, 2 * part);
        p = new double[shape.keys()];
    }

    /** @param index batch index * heads + head */
    static JavaAttention causal(AttentionShape shape, long index, FloatArray qkv) {
        return new JavaAttention(shape, index, qkv, qkv, qkv, null, true);
    }

    /** @param visible [keys] of the sequence, or null */
    static JavaAttention toKeys(
            AttentionShape shape, long index, FloatArray q, FloatArray k, FloatArray v, FloatArray visible) {
        return new JavaAttention(shape, index, q, k, v, visible, false);
    }

    private boolean sees(int query, int key) {
        return causal ? key <= query : visible == null || visible.get(key) != 0;
    }

    /** @param logSumExp address of this head's FP32 [queries] */
    void forward(FloatArray out, long logSumExp) {
        double[] o = new double[shape.queries() * headWidth];
        for (int i = 0; i < shape.queries(); i++) {
            double max = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < p.length; j++) {
                p[j] = sees(i, j) ? scale * dot(q, i, k, j) : Double.NEGATIVE_INFINITY;
                max = Math.max(max, p[j]);
            }
            double sum = 0;
            for (int j = 0; j < p.length; j++) {
                p[j] = Math.exp(p[j] - max);
                sum += p[j];
            }
            for (int j = 0; j < p.length; j++) {
                addScaled(o, i, p[j] / sum, v, j);
            }
            Memory.putFloat(logSumExp + 4L * i, (float) (max + Math.log(sum)));
        }
        store(o, out, shape.queries(), shape.width(), 0);
    }

    /** @param logSumExp address of this head's FP32 [queries] */
    void backward(FloatArray out, long logSumExp, FloatArray dOut, FloatArray dQ, FloatArray dK, FloatArray dV) {
        double[] o = load(out, shape.queries(), shape.width(), 0);
        double[] dO = load(dOut, shape.queries(), shape.width(), 0);
        double[] dq = new double[q.length];
        double[] dk = new double[k.length];
        double[] dv = new double[v.length];
        for (int i = 0; i < shape.queries(); i++) {
            double delta = dot(o, i, dO, i);
            double lse = Memory.getFloat(logSumExp + 4L * i);
            for (int j = 0; j < shape.keys(); j++) {
                if (sees(i, j)) {
                    double probability = Math.exp(scale * dot(q, i, k, j) - lse);
                    double dScore = probability * (dot(dO, i, v, j) - delta) * scale;
                    addScaled(dv, j, probability, dO, i);
                    addScaled(dq, i, dScore, k, j);
                    addScaled(dk, j, dScore, q, i);
                }
            }
        }
        store(dq, dQ, shape.queries(), rowLength, 0);
        store(dk, dK, shape.keys(), rowLength, part);
        store(dv, dV, shape.keys(), rowLength, 2 * part);
    }

    /** This head's [rows, headWidth] of a matrix whose rows are {@code length} long, from {@code column} on. */
    private double[] load(FloatArray matrix, int rows, int length, int column) {
        double[] values = new double[rows * headWidth];
        for (int i = 0; i < values.length; i++) {
            values[i] = matrix.get(at(rows, length, column, i));
        }
        return values;
    }

    private void store(double[] values, FloatArray matrix, int rows, int length, int column) {
        for (int i = 0; i < values.length; i++) {
            matrix.set(at(rows, length, column, i), values[i]);
        }
    }

    private long at(int rows, int length, int column, int i) {
        long row = index / shape.heads() * rows + i / headWidth;
        return row * length + column + index % shape.heads() * headWidth + i % headWidth;
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
