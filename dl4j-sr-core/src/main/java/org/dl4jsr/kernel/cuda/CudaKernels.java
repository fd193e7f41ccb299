package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelConstant.BLOCK;
import static org.dl4jsr.kernel.cuda.KernelConstant.BLOCK_THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.OCTET;
import static org.dl4jsr.kernel.cuda.KernelConstant.PANEL;
import static org.dl4jsr.kernel.cuda.KernelConstant.ROW_CHUNK;
import static org.dl4jsr.kernel.cuda.KernelConstant.STEP_SUMS_BYTES;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.WARP;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelSource.ACTIVATION;
import static org.dl4jsr.kernel.cuda.KernelSource.CASTS;
import static org.dl4jsr.kernel.cuda.KernelSource.COLUMNS;
import static org.dl4jsr.kernel.cuda.KernelSource.EMBEDDING;
import static org.dl4jsr.kernel.cuda.KernelSource.LAYERNORM;
import static org.dl4jsr.kernel.cuda.KernelSource.LOSS;
import static org.dl4jsr.kernel.cuda.KernelSource.OPTIMIZER;
import static org.dl4jsr.kernel.cuda.KernelSource.SUMS;
import static org.dl4jsr.kernel.cuda.KernelSource.TRANSPOSE;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;

/**
 * The kernels in CUDA C++ (src/main/cuda) over device addresses, on one stream. Calls return as soon as the work is
 * queued, except those that return a value, which wait for it. An array lies at a multiple of its element's size;
 * where it also lies at a multiple of 16 bytes, and rows are a multiple of 16 bytes long, it is read 16 bytes at once.
 */
public final class CudaKernels implements Kernels {

    private final CudaStream stream;
    private final KernelLauncher launcher;
    private final DeviceScratch scratch;
    private final CudaAttention attention;

    /** Kernels that run on {@code stream}; compiled when first used, or fetched from the cache on disk. */
    public CudaKernels(CudaStream stream) {
        this.stream = stream;
        launcher = new KernelLauncher(stream);
        scratch = new DeviceScratch(stream);
        attention = new CudaAttention(stream.device(), launcher, scratch);
    }

    @Override
    public String description() {
        return "CUDA on " + stream.device();
    }

    @Override
    public synchronized void toBFloat16(long source, long target, long length) {
        launchOctets(launcher.kernel(CASTS, "toBFloat16").add(source, target, length), length);
    }

    @Override
    public synchronized void toFloat(long source, long target, long length) {
        launchOctets(launcher.kernel(CASTS, "toFloat").add(source, target, length), length);
    }

    @Override
    public synchronized void accumulate(FloatType type, long x, boolean first, long sums, long length) {
        launchOctets(
                launcher.kernel(CASTS, "accumulate", type)
                        .add(x)
                        .add(first ? 1 : 0)
                        .add(sums, length),
                length);
    }

    @Override
    public synchronized void mean(long sums, int count, FloatType type, long mean, long length) {
        launchOctets(launcher.kernel(CASTS, "mean", type).add(sums).add(count).add(mean, length), length);
    }

    @Override
    public synchronized void stochasticRound(long source, long target, long length, long seed, int step, long element) {
        launchOctets(
                launcher.kernel(CASTS, "stochasticRound")
                        .add(source, target, length, seed)
                        .add(step)
                        .add(element),
                length);
    }

    @Override
    public synchronized void stochasticSubtract(
            long weights, FloatType updateType, long update, long length, long seed, int step, long element) {
        launchOctets(
                launcher.kernel(CASTS, "stochasticSubtract", updateType)
                        .add(weights, update, length, seed)
                        .add(step)
                        .add(element),
                length);
    }

    @Override
    public synchronized double sumOfSquares(FloatType type, long values, long length) {
        if (length == 0) {
            return 0;
        }
        long blocks = blocks(length, BLOCK.value);
        DeviceMemory sums = scratch.reserve(Double.BYTES * blocks);
        launchBlocks(launcher.kernel(SUMS, "sumOfSquares", type).add(values, length, sums.address()), blocks);
        double total = 0;
        var onHost = read(sums, Double.BYTES * blocks).asDoubleBuffer();
        while (onHost.hasRemaining()) {
            total += onHost.get();
        }
        return total;
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
            launchOctets(launcher, arrays.length());
            return;
        }
        long blocks = blocks(arrays.length(), BLOCK.value);
        DeviceMemory sums = scratch.reserve(STEP_SUMS_BYTES.value * blocks);
        launchBlocks(launcher.add(sums.address()), blocks);
        ByteBuffer onHost = read(sums, STEP_SUMS_BYTES.value * blocks);
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

    @Override
    public synchronized void layerNormForward(
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
        launcher.kernel(LAYERNORM, "layerNormForward", type)
                .add(x, gain, bias, y, mean, rstd)
                .add(rows, width)
                .add(epsilon)
                .launch(THREADS.value, blocks((long) rows * WARP.value, THREADS.value));
    }

    @Override
    public synchronized void layerNormBackward(
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
        long sums = rowSums(rows, 2 * width);
        launcher.kernel(LAYERNORM, "layerNormGradients", type)
                .add(x, mean, rstd, dy, sums)
                .add(rows, width);
        launchRowSums(rows, width);
        addChunks(type, sums, 2 * width, dGain, rows, width);
        addChunks(type, sums + (long) Float.BYTES * width, 2 * width, dBias, rows, width);
        launcher.kernel(LAYERNORM, "layerNormBackward", type)
                .add(x, gain, mean, rstd, dy, residual, dx)
                .add(rows, width)
                .launch(THREADS.value, blocks((long) rows * WARP.value, THREADS.value));
    }

    @Override
    public synchronized void activationForward(Activation activation, FloatType type, long x, long y, long length) {
        launchOctets(launcher.kernel(ACTIVATION, activation + "_forward", type).add(x, y, length), length);
    }

    @Override
    public synchronized void activationBackward(
            Activation activation, FloatType type, long x, long dy, long y, long dx, long dBias, int rows, int width) {
        long sums = rowSums(rows, width);
        launcher.kernel(ACTIVATION, activation + "_backward", type)
                .add(x, dy, y, dx, sums)
                .add(rows, width);
        launchRowSums(rows, width);
        addChunks(type, sums, width, dBias, rows, width);
    }

    @Override
    public synchronized void biasGradient(FloatType type, long dy, long dBias, int rows, int width) {
        long sums = rowSums(rows, width);
        launcher.kernel(COLUMNS, "biasGradient", type).add(dy, sums).add(rows, width);
        launchRowSums(rows, width);
        addChunks(type, sums, width, dBias, rows, width);
    }

    @Override
    public synchronized void attentionForward(
            FloatType type, long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        attention.forward(type, qkv, out, logSumExp, batch, time, heads, headWidth);
    }

    @Override
    public synchronized void attentionBackward(
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
        attention.backward(type, qkv, out, logSumExp, dOut, dQkv, batch, time, heads, headWidth);
    }

    @Override
    public synchronized void embeddingForward(
            FloatType type, long tokens, long tokenTable, long positionTable, long y, int batch, int time, int width) {
        launcher.kernel(EMBEDDING, "embeddingForward", type)
                .add(tokens, tokenTable, positionTable, y)
                .add(time, width)
                .launch(THREADS.value, (long) batch * time);
    }

    @Override
    public synchronized void embeddingBackward(
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
        launcher.kernel(EMBEDDING, "embeddingBackwardTokens", type)
                .add(tokens, dy, dTokenTable)
                .add(Math.multiplyExact(batch, time), width, accumulate ? 1 : 0)
                .launch(THREADS.value, vocabulary);
        launcher.kernel(EMBEDDING, "embeddingBackwardPositions", type)
                .add(dy, dPositionTable)
                .add(batch, time, width)
                .launch(THREADS.value, time);
    }

    @Override
    public synchronized void crossEntropy(
            FloatType type,
            long logits,
            long targets,
            long losses,
            long dLogits,
            int rows,
            int vocabulary,
            float scale) {
        launcher.kernel(LOSS, "crossEntropy", type)
                .add(logits, targets, losses, dLogits)
                .add(vocabulary)
                .add(scale)
                .launch(THREADS.value, rows);
    }

    @Override
    public synchronized void transpose(FloatType type, long x, long y, int rows, int columns) {
        launcher.kernel(TRANSPOSE, "transpose", type)
                .add(x, y)
                .add(rows, columns)
                .launch(THREADS.value, blocks(columns, WARP.value), blocks(rows, WARP.value), 0);
    }

    /** Launches a kernel that loops over the octets of {@code length} elements. */
    private void launchOctets(KernelLauncher kernel, long length) {
        if (length > 0) {
            long octets = blocks(length, OCTET.value) + 1; // one more where the first is cut
            kernel.launchLooping(THREADS.value, blocks(octets, THREADS.value));
        }
    }

    /** Launches a kernel that takes {@code blocks} blocks of sums. */
    private void launchBlocks(KernelLauncher kernel, long blocks) {
        kernel.launch(THREADS.value, blocks(blocks * BLOCK_THREADS.value, THREADS.value));
    }

    /** Memory for the sums over chunks of rows, FP32 [chunks, columns]. */
    private long rowSums(int rows, int columns) {
        return scratch.reserve(Float.BYTES * blocks(rows, ROW_CHUNK.value) * columns)
                .address();
    }

    private void launchRowSums(int rows, int width) {
        launcher.launch(THREADS.value, blocks(rows, ROW_CHUNK.value), blocks(width, PANEL.value), 0);
    }

    /** target [width] = the sums over chunks of {@code sums}, whose rows are {@code stride} apart. */
    private void addChunks(FloatType type, long sums, int stride, long target, int rows, int width) {
        launcher.kernel(COLUMNS, "addChunks", type)
                .add(sums)
                .add((int) blocks(rows, ROW_CHUNK.value), stride)
                .add(target)
                .add(width)
                .launch(THREADS.value, blocks(width, THREADS.value));
    }

    private static ByteBuffer read(DeviceMemory memory, long bytes) {
        var onHost = new BytePointer(bytes);
        memory.read(0, onHost, bytes);
        return onHost.asByteBuffer().order(ByteOrder.nativeOrder());
    }
}
