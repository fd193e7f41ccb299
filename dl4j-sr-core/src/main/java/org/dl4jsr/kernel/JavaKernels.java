package org.dl4jsr.kernel;

import java.util.function.LongConsumer;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.rounding.StochasticRounding;

/**
 * The kernels in plain Java, on any platform: the loop around {@link org.dl4jsr.rounding} that the others are tested
 * against, and what runs where the native library does not.
 */
public final class JavaKernels implements Kernels {

    private volatile int threads = Runtime.getRuntime().availableProcessors();

    @Override
    public String description() {
        return "Java, " + threads + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public void setThreads(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads is " + threads + ", expected 1 or more");
        }
        this.threads = threads;
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
    public void stochasticRound(long source, long target, long length, long seed, int step, long element) {
        forBlocks(length, (start, end) -> {
            var random = new RandomBits(seed, step);
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
            var random = new RandomBits(seed, step);
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
    public void adamW(AdamWStep step, AdamWArrays arrays, AdamWStatistics statistics) {
        var blocks = new AdamWStatistics[Math.toIntExact(blocks(arrays.length()))];
        var adamW = new JavaAdamW(step, arrays);
        forBlocks(arrays.length(), (start, end) -> blocks[(int) (start / BlockSum.BLOCK)] = adamW.run(start, end));
        if (statistics != null) {
            var range = new AdamWStatistics();
            for (var block : blocks) {
                range.add(block);
            }
            statistics.add(range);
        }
    }

    @Override
    public void layerNormForward(
            FloatType type, long x, long gain, long bias, long y, long mean, long rstd, int rows, int width,
            float epsilon) {
        throw new UnsupportedOperationException("layerNormForward");
    }

    @Override
    public void layerNormBackward(
            FloatType type, long x, long gain, long mean, long rstd, long dy, long residual, long dx, long dGain,
            long dBias, int rows, int width) {
        throw new UnsupportedOperationException("layerNormBackward");
    }

    @Override
    public void geluForward(FloatType type, long x, long y, long length) {
        throw new UnsupportedOperationException("geluForward");
    }

    @Override
    public void geluBackward(FloatType type, long x, long dy, long dx, long dBias, int rows, int width) {
        throw new UnsupportedOperationException("geluBackward");
    }

    @Override
    public void biasGradient(FloatType type, long dy, long dBias, int rows, int width) {
        throw new UnsupportedOperationException("biasGradient");
    }

    @Override
    public void attentionForward(
            FloatType type, long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        throw new UnsupportedOperationException("attentionForward");
    }

    @Override
    public void attentionBackward(
            FloatType type, long qkv, long out, long logSumExp, long dOut, long dQkv, int batch, int time, int heads,
            int headWidth) {
        throw new UnsupportedOperationException("attentionBackward");
    }

    @Override
    public void embeddingForward(
            FloatType type, long tokens, long tokenTable, long positionTable, long y, int batch, int time, int width) {
        throw new UnsupportedOperationException("embeddingForward");
    }

    @Override
    public void embeddingBackward(
            FloatType type, long tokens, long dy, long dTokenTable, long dPositionTable, int batch, int time,
            int width, int vocabulary, boolean accumulate) {
        throw new UnsupportedOperationException("embeddingBackward");
    }

    @Override
    public void crossEntropy(
            FloatType type, long logits, long targets, long losses, long dLogits, int rows, int vocabulary,
            float scale) {
        throw new UnsupportedOperationException("crossEntropy");
    }

    @Override
    public void transpose(FloatType type, long x, long y, int rows, int columns) {
        throw new UnsupportedOperationException("transpose");
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
