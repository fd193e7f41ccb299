package org.dl4jsr.kernel.reference;

import java.util.function.LongConsumer;
import java.util.function.LongToDoubleFunction;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.AttentionShape;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.rounding.BlockSum;
import org.dl4jsr.rounding.StochasticRounding;

/**
 * The kernels in plain Java, on any platform: the loop around {@link org.dl4jsr.rounding} that the others are tested
 * against, and what runs where the native library does not.
 */
public final class JavaKernels implements Kernels {

    private final int threads;

    /** Kernels on so many threads, 1 or more. */
    public JavaKernels(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads is " + threads + ", expected 1 or more");
        }
        this.threads = threads;
    }

    @Override
    public String description() {
        return "Java, " + threads + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public void toBFloat16(long source, long target, long length) {
        forEach(length, i -> Memory.putShort(target + 2 * i, BFloat16.fromFloat(Memory.getFloat(source + 4 * i))));
    }

    @Override
    public void toFloat(long source, long target, long length) {
        forEach(length, i -> Memory.putInt(target + 4 * i, Memory.getShort(source + 2 * i) << 16));
    }

    @Override
    public void accumulate(FloatType type, long x, boolean first, long sums, long length) {
        forEach(length, i -> {
            float value = load(type, x, i);
            Memory.putFloat(sums + 4 * i, first ? value : Memory.getFloat(sums + 4 * i) + value);
        });
    }

    @Override
    public void mean(long sums, int count, FloatType type, long mean, long length) {
        forEach(length, i -> {
            float value = Memory.getFloat(sums + 4 * i) / count;
            if (type == FloatType.FLOAT) {
                Memory.putFloat(mean + 4 * i, value);
            } else {
                Memory.putShort(mean + 2 * i, BFloat16.fromFloat(value));
            }
        });
    }

    @Override
    public void stochasticRound(long source, long target, long length, long seed, int step, long element) {
        forBlocks(length, (start, end) -> {
            var random = new RandomBits(seed, step, StochasticRounding.WEIGHT_STREAM);
            for (long i = start; i < end; i++) {
                float value = Memory.getFloat(source + 4 * i);
                Memory.putShort(target + 2 * i, StochasticRounding.round(value, random.get(element + i)));
            }
        });
    }

    @Override
    public void stochasticSubtract(
            long weights, FloatType updateType, long update, long length, long seed, int step, long element) {
        forBlocks(length, (start, end) -> {
            var random = new RandomBits(seed, step, StochasticRounding.WEIGHT_STREAM);
            for (long i = start; i < end; i++) {
                float value = BFloat16.toFloat(Memory.getShort(weights + 2 * i)) - load(updateType, update, i);
                Memory.putShort(weights + 2 * i, StochasticRounding.round(value, random.get(element + i)));
            }
        });
    }

    /**
     * {@inheritDoc}
     *
     * <p>Each square is exact in double. Blocks of 4096 values: lane l of 16 adds the squares l, l + 16, l + 32, ... of
     * the block in this order, the lanes are added in a tree (i and i + 8, then i + 4, i + 2, i + 1), and the blocks'
     * sums are added in their order.
     */
    @Override
    public double sumOfSquares(FloatType type, long values, long length) {
        double[] sums = new double[Math.toIntExact(blocks(length))];
        forBlocks(length, (start, end) -> {
            var sum = new BlockSum();
            for (long i = start; i < end; i++) {
                double value = load(type, values, i);
                sum.add((int) (i - start), value * value);
            }
            sums[(int) (start / BlockSum.BLOCK)] = sum.sum();
        });
        double total = 0;
        for (double sum : sums) {
            total += sum;
        }
        return total;
    }

    /**
     * {@inheritDoc}
     *
     * <p>FP32 storage gets 0x7FC00000 for any NaN, so that implementations agree. The statistics' sums are those of
     * {@link #sumOfSquares}; each range is summed on its own and then added.
     */
    @Override
    public void step(OptimizerStep step, OptimizerArrays arrays, StepStatistics statistics) {
        var blocks = new StepStatistics[Math.toIntExact(blocks(arrays.length()))];
        var optimizer = new JavaOptimizer(step, arrays);
        forBlocks(arrays.length(), (start, end) -> blocks[(int) (start / BlockSum.BLOCK)] = optimizer.run(start, end));
        if (statistics != null) {
            var range = new StepStatistics();
            for (var block : blocks) {
                range.add(block);
            }
            statistics.add(range);
        }
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
        forEach(length, i -> output.set(i, activation.value(input.get(i))));
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

    @Override
    public void transpose(FloatType type, long x, long y, int rows, int columns) {
        Parallel.loop(threads, rows, row -> {
            for (long c = 0; c < columns; c++) {
                if (type == FloatType.FLOAT) {
                    Memory.putInt(y + 4 * (c * rows + row), Memory.getInt(x + 4 * (row * columns + c)));
                } else {
                    Memory.putShort(y + 2 * (c * rows + row), Memory.getShort(x + 2 * (row * columns + c)));
                }
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

    private static float load(FloatType type, long array, long i) {
        return type == FloatType.FLOAT
                ? Memory.getFloat(array + 4 * i)
                : BFloat16.toFloat(Memory.getShort(array + 2 * i));
    }

    private void forEach(long length, LongConsumer body) {
        forBlocks(length, (start, end) -> {
            for (long i = start; i < end; i++) {
                body.accept(i);
            }
        });
    }

    /** Calls {@code body} with the bounds of each block of {@link BlockSum}, on all threads. */
    private void forBlocks(long length, Block body) {
        Parallel.loop(threads, blocks(length), block -> {
            long start = block * BlockSum.BLOCK;
            body.run(start, Math.min(start + BlockSum.BLOCK, length));
        });
    }

    private static long blocks(long length) {
        return (length + BlockSum.BLOCK - 1) / BlockSum.BLOCK;
    }

    private interface Block {
        void run(long start, long end);
    }
}
