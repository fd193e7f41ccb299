package org.dl4jsr.kernel.reference;

import java.util.function.LongConsumer;
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

    @Override
    public void accumulate(FloatType type, long x, float factor, boolean first, long sums, long length) {
        forEach(length, i -> {
            float value = load(type, x, i) * factor;
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
