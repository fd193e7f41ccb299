package org.dl4jsr.kernel.reference;

import java.util.function.LongToDoubleFunction;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.AttentionShape;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.TransformerKernels;

/** A transformer's kernels in plain Java, sums and functions in FP64. */
public final class JavaTransformerKernels implements TransformerKernels {

    private final int threads;

    /** Kernels on so many threads, 1 or more. */
    public JavaTransformerKernels(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads is " + threads + ", expected 1 or more");
        }
        this.threads = threads;
    }

    @Override
    public void layerNormForward(
            FloatType type,
            long x,
            long gain,
            long bias,
            long y,
            long mean,
            long rstd,
            int rows,
            int width,
            float epsilon) {
        Parallel.loop(
                threads,
                rows,
                row -> JavaLayerNorm.forward(
                        new FloatArray(type, x),
                        new FloatArray(type, gain),
                        new FloatArray(type, bias),
                        new FloatArray(type, y),
                        mean,
                        rstd,
                        row,
                        width,
                        epsilon));
    }

    @Override
    public void layerNormBackward(
            FloatType type,
            long x,
            long gain,
            long mean,
            long rstd,
            long dy,
            long residual,
            long dx,
            long dGain,
            long dBias,
            int rows,
            int width) {
        var input = new FloatArray(type, x);
        var gradient = new FloatArray(type, dy);
        Parallel.loop(
                threads,
                width,
                column -> JavaLayerNorm.columnBackward(
                        input,
                        mean,
                        rstd,
                        gradient,
                        new FloatArray(type, dGain),
                        new FloatArray(type, dBias),
                        rows,
                        width,
                        (int) column));
        var added = residual == 0 ? null : new FloatArray(type, residual);
        Parallel.loop(
                threads,
                rows,
                row -> JavaLayerNorm.backward(
                        input,
                        new FloatArray(type, gain),
                        mean,
                        rstd,
                        gradient,
                        added,
                        new FloatArray(type, dx),
                        row,
                        width));
    }

    @Override
    public void activationForward(Activation activation, FloatType type, long x, long y, long length) {
        var input = new FloatArray(type, x);
        var output = new FloatArray(type, y);
        Parallel.loop(threads, length, i -> output.set(i, activation.value(input.get(i))));
    }

    @Override
    public void activationBackward(
            Activation activation, FloatType type, long x, long dy, long y, long dx, long dBias, int rows, int width) {
        var input = new FloatArray(type, x);
        var gradient = new FloatArray(type, dy);
        var again = new FloatArray(type, y);
        var output = new FloatArray(type, dx);
        sumColumns(new FloatArray(type, dBias), rows, width, i -> {
            double in = input.get(i);
            double value = gradient.get(i) * activation.derivative(in);
            if (y != 0) {
                again.set(i, activation.value(in));
            }
            output.set(i, value);
            return value;
        });
    }

    @Override
    public void biasGradient(FloatType type, long dy, long dBias, int rows, int width) {
        sumColumns(new FloatArray(type, dBias), rows, width, new FloatArray(type, dy)::get);
    }

    @Override
    public void attentionForward(
            FloatType type, long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        var shape = new AttentionShape(batch, time, time, heads, headWidth);
        Parallel.loop(
                threads, (long) batch * heads, index -> JavaAttention.causal(shape, index, new FloatArray(type, qkv))
                        .forward(new FloatArray(type, out), logSumExp + 4 * index * time));
    }

    @Override
    public void attentionBackward(
            FloatType type,
            long qkv,
            long out,
            long logSumExp,
            long dOut,
            long dQkv,
            int batch,
            int time,
            int heads,
            int headWidth) {
        var shape = new AttentionShape(batch, time, time, heads, headWidth);
        var gradient = new FloatArray(type, dQkv);
        Parallel.loop(
                threads, (long) batch * heads, index -> JavaAttention.causal(shape, index, new FloatArray(type, qkv))
                        .backward(
                                new FloatArray(type, out),
                                logSumExp + 4 * index * time,
                                new FloatArray(type, dOut),
                                gradient,
                                gradient,
                                gradient));
    }

    @Override
    public void embeddingForward(
            FloatType type, long tokens, long tokenTable, long positionTable, long y, int batch, int time, int width) {
        var words = new FloatArray(type, tokenTable);
        var positions = new FloatArray(type, positionTable);
        var output = new FloatArray(type, y);
        Parallel.loop(threads, (long) batch * time, row -> {
            long token = Memory.getInt(tokens + 4 * row);
            for (int c = 0; c < width; c++) {
                output.set(row * width + c, words.get(token * width + c) + positions.get(row % time * width + c));
            }
        });
    }

    @Override
    public void embeddingBackward(
            FloatType type,
            long tokens,
            long dy,
            long dTokenTable,
            long dPositionTable,
            int batch,
            int time,
            int width,
            int vocabulary,
            boolean accumulate) {
        var gradient = new FloatArray(type, dy);
        var dWords = new FloatArray(type, dTokenTable);
        var dPositions = new FloatArray(type, dPositionTable);
        Parallel.loop(threads, width, column -> {
            double[] sums = new double[vocabulary];
            for (int token = 0; accumulate && token < vocabulary; token++) {
                sums[token] = dWords.get((long) token * width + column);
            }
            for (long row = 0; row < (long) batch * time; row++) {
                sums[Memory.getInt(tokens + 4 * row)] += gradient.get(row * width + column);
            }
            for (int token = 0; token < vocabulary; token++) {
                dWords.set((long) token * width + column, sums[token]);
            }
        });
        sumColumns(dPositions, batch, time * width, gradient::get);
    }

    @Override
    public void crossEntropy(
            FloatType type,
            long logits,
            long targets,
            long losses,
            long dLogits,
            int rows,
            int vocabulary,
            float scale) {
        Parallel.loop(threads, rows, row -> {
            double[] scores = new double[vocabulary];
            var input = new FloatArray(type, logits);
            double max = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < vocabulary; c++) {
                scores[c] = input.get(row * vocabulary + c);
                max = Math.max(max, scores[c]);
            }
            double sum = 0;
            for (int c = 0; c < vocabulary; c++) {
                sum += Math.exp(scores[c] - max);
            }
            int target = Memory.getInt(targets + 4 * row);
            Memory.putFloat(losses + 4 * row, target < 0 ? 0 : (float) (max + Math.log(sum) - scores[target]));
            for (int c = 0; dLogits != 0 && c < vocabulary; c++) {
                double gradient = Math.exp(scores[c] - max) / sum - (c == target ? 1 : 0);
                new FloatArray(type, dLogits).set(row * vocabulary + c, target < 0 ? 0 : gradient * scale);
            }
        });
    }

    /** sums [width] = the sums over rows of {@code value} of each index of [rows, width]; each index is asked once. */
    private void sumColumns(FloatArray sums, int rows, int width, LongToDoubleFunction value) {
        Parallel.loop(threads, width, column -> {
            double sum = 0;
            for (int row = 0; row < rows; row++) {
                sum += value.applyAsDouble((long) row * width + column);
            }
            sums.set(column, sum);
        });
    }
}
