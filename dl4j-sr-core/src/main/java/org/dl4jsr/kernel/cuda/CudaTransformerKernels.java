package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelConstant.HELD_OCTETS;
import static org.dl4jsr.kernel.cuda.KernelConstant.LOSS_THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.NARROW_OCTETS;
import static org.dl4jsr.kernel.cuda.KernelConstant.OCTET;
import static org.dl4jsr.kernel.cuda.KernelConstant.PANEL;
import static org.dl4jsr.kernel.cuda.KernelConstant.ROW_CHUNK;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.WARP;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelSource.ACTIVATION;
import static org.dl4jsr.kernel.cuda.KernelSource.COLUMNS;
import static org.dl4jsr.kernel.cuda.KernelSource.EMBEDDING;
import static org.dl4jsr.kernel.cuda.KernelSource.LAYERNORM;
import static org.dl4jsr.kernel.cuda.KernelSource.LOSS;

import java.util.stream.LongStream;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.TransformerKernels;

/**
 * A transformer's kernels in CUDA C++ (src/main/cuda) over device addresses, on one stream. Calls return as soon as the
 * work is queued. Where arrays lie at multiples of 16 bytes, and rows are a multiple of 16 bytes long, they are read 16
 * bytes at once.
 */
public final class CudaTransformerKernels implements TransformerKernels {

    /** What the threads of a block hold of a row in their registers. */
    private static final int WIDEST_HELD_ROW = THREADS.value * HELD_OCTETS.value * OCTET.value;
    /** What those of a warp hold with the next row on its way, as GPT-2's of 768 values. */
    private static final int WIDEST_NARROW_ROW = WARP.value * NARROW_OCTETS.value * OCTET.value;
    /** Chunks of rows that are held: as many blocks as run at once, two on each of 132 multiprocessors. */
    private static final int HELD_CHUNKS = 256;

    private final CudaStream stream;
    private final KernelLauncher launcher;
    private final DeviceScratch scratch;
    private final CudaAttention attention;
    private final CudaEmbedding embedding;

    /** Kernels that run on {@code stream}; compiled when first used, or fetched from the cache on disk. */
    public CudaTransformerKernels(CudaStream stream) {
        this.stream = stream;
        launcher = new KernelLauncher(stream);
        scratch = new DeviceScratch(stream);
        attention = new CudaAttention(stream, launcher, scratch);
        embedding = new CudaEmbedding(launcher, scratch);
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
                .add(epsilon);
        launchWarps(rows);
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
        int chunk = ROW_CHUNK.value;
        boolean inOctets = width % OCTET.value == 0
                && LongStream.of(x, gain, dy, residual, dx).allMatch(address -> address % 16 == 0);
        boolean held = inOctets && width <= WIDEST_HELD_ROW;
        if (held) {
            chunk = (int) blocks(rows, HELD_CHUNKS);
        }
        long sums = rowSums(rows, chunk, 2 * width);
        if (held) {
            String name = width <= WIDEST_NARROW_ROW ? "layerNormBackwardNarrow" : "layerNormBackward";
            launcher.kernel(LAYERNORM, name, type)
                    .add(x, gain, mean, rstd, dy, residual, dx, sums)
                    .add(rows, width, chunk, warpsToHold(width))
                    .launch(THREADS.value, blocks(rows, chunk));
        } else {
            launcher.kernel(LAYERNORM, "layerNormGradients", type)
                    .add(x, mean, rstd, dy, sums)
                    .add(rows, width);
            launchRowSums(rows, width);
            launcher.kernel(LAYERNORM, "layerNormBackwardAny", type)
                    .add(x, gain, mean, rstd, dy, residual, dx)
                    .add(rows, width);
            launchWarps(rows);
        }
        addChunks(type, sums, blocks(rows, chunk), 2 * width, dGain, dBias, width);
    }

    @Override
    public synchronized void activationForward(Activation activation, FloatType type, long x, long y, long length) {
        launcher.kernel(ACTIVATION, activation + "_forward", type)
                .add(x, y, length)
                .launchThreadPerOctet(length);
    }

    @Override
    public synchronized void activationBackward(
            Activation activation, FloatType type, long x, long dy, long y, long dx, long dBias, int rows, int width) {
        long sums = rowSums(rows, ROW_CHUNK.value, width);
        launcher.kernel(ACTIVATION, activation + "_backward", type)
                .add(x, dy, y, dx, sums)
                .add(rows, width);
        launchRowSums(rows, width);
        addChunks(type, sums, blocks(rows, ROW_CHUNK.value), width, dBias, 0, width);
    }

    @Override
    public synchronized void biasGradient(FloatType type, long dy, long dBias, int rows, int width) {
        long sums = rowSums(rows, ROW_CHUNK.value, width);
        launcher.kernel(COLUMNS, "biasGradient", type).add(dy, sums).add(rows, width);
        launchRowSums(rows, width);
        addChunks(type, sums, blocks(rows, ROW_CHUNK.value), width, dBias, 0, width);
    }

    @Override
    public synchronized void attentionForward(
            FloatType type, long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        attention.forward(type, qkv, out, logSumExp, batch, time, heads, headWidth);
    }

    @Override
    public synchronized void autocastAttentionForward(
            long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        attention.autocastForward(qkv, out, logSumExp, batch, time, heads, headWidth);
    }

    @Override
    public synchronized void autocastAttentionBackward(
            long qkv, long out, long logSumExp, long dOut, long dQkv, int batch, int time, int heads, int headWidth) {
        attention.autocastBackward(qkv, out, logSumExp, dOut, dQkv, batch, time, heads, headWidth);
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
        int rows = Math.multiplyExact(batch, time);
        launcher.kernel(EMBEDDING, "embeddingForward", type)
                .add(tokens, tokenTable, positionTable, y)
                .add(rows, time, width);
        launchWarps(rows);
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
        embedding.backward(type, tokens, dy, dTokenTable, dPositionTable, batch, time, width, vocabulary, accumulate);
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
        long rowBytes = (long) vocabulary * type.bytes();
        // two blocks run at once on a multiprocessor, and need a little for themselves
        boolean kept = dLogits != 0 && rowBytes <= stream.device().sharedMemoryPerBlock() / 2 - 1024;
        launcher.kernel(LOSS, "crossEntropy", type)
                .add(logits, targets, losses, dLogits)
                .add(vocabulary, kept ? 1 : 0)
                .add(scale)
                .launch(lossThreads(vocabulary), rows, 1, kept ? (int) rowBytes : 0);
    }

    /** A thread an octet of the row, in whole warps. */
    private static int lossThreads(int vocabulary) {
        int warps = (vocabulary - 1) / (WARP.value * OCTET.value) + 1;
        return Math.min(LOSS_THREADS.value, WARP.value * warps);
    }

    /** Launches a kernel that takes a warp a row. */
    private void launchWarps(int rows) {
        launcher.launch(THREADS.value, blocks((long) rows * WARP.value, THREADS.value));
    }

    /** How many warps, a power of two, hold a row of this width in their registers. */
    private static int warpsToHold(int width) {
        int warps = 1;
        while (warps * WARP.value * HELD_OCTETS.value * OCTET.value < width) {
            warps *= 2;
        }
        return warps;
    }

    /** Memory for the sums over chunks of rows, FP32 [chunks, columns]. */
    private long rowSums(int rows, int chunk, int columns) {
        return scratch.reserve(Float.BYTES * blocks(rows, chunk) * columns).address();
    }

    private void launchRowSums(int rows, int width) {
        launcher.launch(THREADS.value, blocks(rows, ROW_CHUNK.value), blocks(width, PANEL.value), 0);
    }

    /** target [width] and more [columns - width] = the sums over the chunks of sums [chunks, columns]. */
    private void addChunks(FloatType type, long sums, long chunks, int columns, long target, long more, int width) {
        launcher.kernel(COLUMNS, "addChunks", type)
                .add(sums)
                .add((int) chunks, columns)
                .add(target, more)
                .add(width)
                .launch(THREADS.value, blocks(columns, WARP.value));
    }
}
