package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelConstant.BLOCK;
import static org.dl4jsr.kernel.cuda.KernelConstant.BLOCK_THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.SQUARE;
import static org.dl4jsr.kernel.cuda.KernelConstant.STEP_SUMS_BYTES;
import static org.dl4jsr.kernel.cuda.KernelConstant.SUMMED_ARRAYS;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.WARP;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelSource.CASTS;
import static org.dl4jsr.kernel.cuda.KernelSource.OPTIMIZER;
import static org.dl4jsr.kernel.cuda.KernelSource.SUMS;
import static org.dl4jsr.kernel.cuda.KernelSource.TRANSPOSE;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.LongStream;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;

/**
 * Casts, sums and optimizers in CUDA C++ (src/main/cuda) over device addresses, on one stream. Calls return as soon as
 * the work is queued, except those that return a value, which wait for it. An array lies at a multiple of its element's
 * size; where it also lies at a multiple of 16 bytes, it is read 16 bytes at once.
 */
public final class CudaKernels implements Kernels {

    private final CudaStream stream;
    private final KernelLauncher launcher;
    private final DeviceScratch scratch;
    private final PinnedScratch pinned;

    /** Kernels that run on {@code stream}; compiled when first used, or fetched from the cache on disk. */
    public CudaKernels(CudaStream stream) {
        this.stream = stream;
        launcher = new KernelLauncher(stream);
        scratch = new DeviceScratch(stream);
        pinned = new PinnedScratch(stream.device());
    }

    @Override
    public String description() {
        return "CUDA on " + stream.device();
    }

    @Override
    public synchronized void toBFloat16(long source, long target, long length) {
        launcher.kernel(CASTS, "toBFloat16").add(source, target, length).launchOctets(length);
    }

    @Override
    public synchronized void toFloat(long source, long target, long length) {
        launcher.kernel(CASTS, "toFloat").add(source, target, length).launchOctets(length);
    }

    @Override
    public synchronized void transpose(FloatType type, long x, long y, int rows, int columns) {
        launcher.kernel(TRANSPOSE, "transpose", type)
                .add(x, y)
                .add(rows, columns)
                .launch(THREADS.value, blocks(columns, SQUARE.value), blocks(rows, SQUARE.value), 0);
    }

    @Override
    public synchronized void accumulate(FloatType type, long x, float factor, boolean first, long sums, long length) {
        launcher.kernel(CASTS, "accumulate", type)
                .add(x)
                .add(factor)
                .add(first ? 1 : 0)
                .add(sums, length)
                .launchOctets(length);
    }

    @Override
    public synchronized void mean(long sums, int count, FloatType type, long mean, long length) {
        launcher.kernel(CASTS, "mean", type)
                .add(sums)
                .add(count)
                .add(mean, length)
                .launchOctets(length);
    }

    @Override
    public synchronized void stochasticRound(long source, long target, long length, long seed, int step, long element) {
        launcher.kernel(CASTS, "stochasticRound")
                .add(source, target, length, seed)
                .add(step)
                .add(element)
                .launchOctets(length);
    }

    @Override
    public synchronized void stochasticSubtract(
            long weights, FloatType updateType, long update, long length, long seed, int step, long element) {
        launcher.kernel(CASTS, "stochasticSubtract", updateType)
                .add(weights, update, length, seed)
                .add(step)
                .add(element)
                .launchOctets(length);
    }

    @Override
    public double sumOfSquares(FloatType type, long values, long length) {
        return sumsOfSquares(type, new long[] {values}, new long[] {length})[0];
    }

    /** By one launch, since one for each of many small arrays would wait for the one before. */
    @Override
    public synchronized double[] sumsOfSquares(FloatType type, long[] values, long[] lengths) {
        long[] blocks = Arrays.stream(lengths)
                .map(length -> blocks(length, BLOCK.value))
                .toArray();
        long bytes = Double.BYTES * Arrays.stream(blocks).sum();
        var totals = new double[values.length];
        if (bytes == 0) {
            return totals;
        }
        DeviceMemory sums = scratch.reserve(bytes);
        long address = sums.address();
        for (int from = 0; from < values.length; from += SUMMED_ARRAYS.value) {
            int count = Math.min(SUMMED_ARRAYS.value, values.length - from);
            long all = Arrays.stream(blocks, from, from + count).sum();
            long warps = Arrays.stream(blocks, from, from + count)
                    .map(own -> blocks(own * BLOCK_THREADS.value, WARP.value))
                    .sum();
            if (warps > 0) {
                launcher.kernel(SUMS, "sumsOfSquares", type)
                        .addStructure(LongStream.concat(
                                        padded(values, from, SUMMED_ARRAYS.value),
                                        padded(lengths, from, SUMMED_ARRAYS.value))
                                .toArray())
                        .add(count)
                        .add(address)
                        .launch(THREADS.value, blocks(warps * WARP.value, THREADS.value));
            }
            address += Double.BYTES * all;
        }
        ByteBuffer onHost = pinned.read(sums, bytes);
        for (int i = 0; i < values.length; i++) {
            for (long block = 0; block < blocks[i]; block++) {
                totals[i] += onHost.getDouble();
            }
        }
        return totals;
    }

    /** {@code length} values, those behind the last being 0. */
    private static LongStream padded(long[] values, int from, int length) {
        return Arrays.stream(Arrays.copyOfRange(values, from, from + length));
    }

    @Override
    public synchronized void step(OptimizerStep step, OptimizerArrays arrays, StepStatistics statistics) {
        if (arrays.length() == 0) {
            return;
        }
        String name = step.kernel(arrays.type());
        launcher.kernel(OPTIMIZER, statistics == null ? name : name + "_traced")
                .addStructure(arrays.toArray())
                .addStructure(step.scalars())
                .add(step.hasStochasticState() ? 1 : 0)
                .add(step.seed())
                .add(step.step());
        if (statistics == null) {
            launcher.launchOctets(arrays.length());
            return;
        }
        long blocks = blocks(arrays.length(), BLOCK.value);
        DeviceMemory sums = scratch.reserve(STEP_SUMS_BYTES.value * blocks);
        launcher.add(sums.address()).launch(THREADS.value, blocks(blocks * BLOCK_THREADS.value, THREADS.value));
        ByteBuffer onHost = pinned.read(sums, STEP_SUMS_BYTES.value * blocks);
        var range = new StepStatistics();
        range.weights = arrays.length();
        while (onHost.hasRemaining()) {
            range.stagnant += onHost.getLong();
            range.moved += onHost.getLong();
            range.squaredUpdate += onHost.getDouble();
            range.squaredWeight += onHost.getDouble();
            range.squaredGradient += onHost.getDouble();
        }
        statistics.add(range);
    }
}
