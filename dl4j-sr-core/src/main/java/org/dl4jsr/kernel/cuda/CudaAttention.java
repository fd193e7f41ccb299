package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelConstant.BACKWARD_KEYS_TILES;
import static org.dl4jsr.kernel.cuda.KernelConstant.BACKWARD_QUERIES_TILES;
import static org.dl4jsr.kernel.cuda.KernelConstant.BACKWARD_SCORES;
import static org.dl4jsr.kernel.cuda.KernelConstant.FORWARD_SCORES;
import static org.dl4jsr.kernel.cuda.KernelConstant.FORWARD_TILES;
import static org.dl4jsr.kernel.cuda.KernelConstant.TENSOR_COLUMNS;
import static org.dl4jsr.kernel.cuda.KernelConstant.TENSOR_PADDING;
import static org.dl4jsr.kernel.cuda.KernelConstant.TENSOR_ROWS;
import static org.dl4jsr.kernel.cuda.KernelConstant.TENSOR_THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.TILE;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelSource.ATTENTION;
import static org.dl4jsr.kernel.cuda.KernelSource.ATTENTION_MMA;
import static org.dl4jsr.kernel.cuda.KernelSource.CASTS;

import java.util.stream.LongStream;
import org.dl4jsr.kernel.FloatType;

/**
 * Causal attention. It runs on tensor cores where storage is BF16, the head width is a multiple of 8 up to 128, arrays
 * lie at multiples of 16 bytes and the GPU has compute capability 8.0 or more; probabilities and gradients of scores
 * are then rounded to BF16 on the way. Otherwise all is FP32, far slower, with heads as wide as the GPU's shared memory
 * allows: 164 in the backward pass with 64 KiB a block (compute capability 7.5), 598 with 227 KiB (9.0).
 */
final class CudaAttention {

    /** The widest head that attention_mma.cu is compiled for. */
    private static final int TENSOR_WIDEST = 128;

    private final CudaDevice device;
    private final KernelLauncher launcher;
    private final DeviceScratch scratch;
    /** BF16 stand-ins for FP32 arrays. */
    private final DeviceScratch rounded;

    CudaAttention(CudaStream stream, KernelLauncher launcher, DeviceScratch scratch) {
        device = stream.device();
        this.launcher = launcher;
        this.scratch = scratch;
        rounded = new DeviceScratch(stream);
    }

    /** As {@link CudaTransformerKernels#attentionForward}. */
    void forward(FloatType type, long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        if (runsOnTensorCores(type, headWidth, qkv, out)) {
            launcher.kernel(ATTENTION_MMA, "attentionForward_mma" + tensorWidth(headWidth))
                    .add(qkv, out, logSumExp);
            launchOnTensorCores(batch, time, heads, headWidth);
            return;
        }
        launcher.kernel(ATTENTION, "attentionForward", type).add(qkv, out, logSumExp);
        launch(FORWARD_TILES, FORWARD_SCORES, batch, time, heads, headWidth);
    }

    /** As {@link CudaTransformerKernels#attentionBackward}. */
    void backward(
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
        if (runsOnTensorCores(type, headWidth, qkv, out, dOut, dQkv)) {
            backwardOnTensorCores(qkv, out, logSumExp, dOut, dQkv, batch, time, heads, headWidth);
            return;
        }
        launcher.kernel(ATTENTION, "attentionBackwardKeys", type).add(qkv, out, logSumExp, dOut, dQkv);
        launch(BACKWARD_KEYS_TILES, BACKWARD_SCORES, batch, time, heads, headWidth);
        launcher.kernel(ATTENTION, "attentionBackwardQueries", type).add(qkv, out, logSumExp, dOut, dQkv);
        launch(BACKWARD_QUERIES_TILES, BACKWARD_SCORES, batch, time, heads, headWidth);
    }

    /** As {@link CudaTransformerKernels#autocastAttentionForward}: rounded for tensor cores, which know no FP32. */
    void autocastForward(long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        if (!runsOnTensorCores(FloatType.BFLOAT16, headWidth)) {
            forward(FloatType.FLOAT, qkv, out, logSumExp, batch, time, heads, headWidth);
            return;
        }
        long length = (long) batch * time * heads * headWidth;
        long bytes = FloatType.BFLOAT16.bytes() * length;
        long address = rounded.reserve(4 * bytes).address();
        long roundedOut = address + 3 * bytes;
        cast("toBFloat16", qkv, address, 3 * length);
        forward(FloatType.BFLOAT16, address, roundedOut, logSumExp, batch, time, heads, headWidth);
        cast("toFloat", roundedOut, out, length);
    }

    /** As {@link CudaTransformerKernels#autocastAttentionBackward}. */
    void autocastBackward(
            long qkv, long out, long logSumExp, long dOut, long dQkv, int batch, int time, int heads, int headWidth) {
        if (!runsOnTensorCores(FloatType.BFLOAT16, headWidth)) {
            backward(FloatType.FLOAT, qkv, out, logSumExp, dOut, dQkv, batch, time, heads, headWidth);
            return;
        }
        long length = (long) batch * time * heads * headWidth;
        long bytes = FloatType.BFLOAT16.bytes() * length;
        long address = rounded.reserve(8 * bytes).address();
        long roundedOut = address + 3 * bytes;
        long roundedDOut = address + 4 * bytes;
        long roundedDQkv = address + 5 * bytes;
        cast("toBFloat16", qkv, address, 3 * length);
        cast("toBFloat16", out, roundedOut, length);
        cast("toBFloat16", dOut, roundedDOut, length);
        backward(
                FloatType.BFLOAT16,
                address,
                roundedOut,
                logSumExp,
                roundedDOut,
                roundedDQkv,
                batch,
                time,
                heads,
                headWidth);
        cast("toFloat", roundedDQkv, dQkv, 3 * length);
    }

    private void cast(String name, long source, long target, long length) {
        launcher.kernel(CASTS, name).add(source, target, length).launchOctets(length);
    }

    private void backwardOnTensorCores(
            long qkv, long out, long logSumExp, long dOut, long dQkv, int batch, int time, int heads, int headWidth) {
        long rows = (long) batch * heads * time;
        long delta = scratch.reserve(Float.BYTES * rows).address();
        int width = tensorWidth(headWidth);
        launcher.kernel(ATTENTION_MMA, "attentionBackwardQueries_mma" + width)
                .add(qkv, out, logSumExp, dOut, dQkv, delta);
        launchOnTensorCores(batch, time, heads, headWidth);
        launcher.kernel(ATTENTION_MMA, "attentionBackwardKeys_mma" + width).add(qkv, logSumExp, delta, dOut, dQkv);
        launchOnTensorCores(batch, time, heads, headWidth);
    }

    /** Launches a kernel of attention_mma.cu with two tiles each of two arrays in shared memory. */
    private void launchOnTensorCores(int batch, int time, int heads, int headWidth) {
        int width = tensorWidth(headWidth);
        int columns = width <= 64 ? TENSOR_COLUMNS.value : TENSOR_COLUMNS.value / 2;
        int bytes = 4 * columns * (width + TENSOR_PADDING.value) * Short.BYTES;
        launcher.add(time, heads, headWidth)
                .launch(TENSOR_THREADS.value, (long) batch * heads, blocks(time, TENSOR_ROWS.value), bytes);
    }

    /** Launches a kernel of attention.cu. */
    private void launch(KernelConstant tiles, KernelConstant scores, int batch, int time, int heads, int headWidth) {
        int bytes = tileBytes(device, tiles, scores, headWidth);
        launcher.add(time, heads, headWidth)
                .launch(THREADS.value, (long) batch * heads, blocks(time, TILE.value), bytes);
    }

    /**
     * What a kernel of attention_tiles.h needs of shared memory beside what it declares.
     *
     * @throws IllegalArgumentException where the GPU has less
     */
    static int tileBytes(CudaDevice device, KernelConstant tiles, KernelConstant scores, int headWidth) {
        int bytes = tiles.value * TILE.value * (headWidth + 1) * Float.BYTES;
        int ofScores = scores.value * TILE.value * (TILE.value + 1) * Float.BYTES; // the kernel's own, of fixed size
        int needed = bytes + ofScores;
        if (needed > device.sharedMemoryPerBlock()) {
            throw new IllegalArgumentException("A head of width " + headWidth + " needs " + needed
                    + " bytes of shared memory, " + device + " has " + device.sharedMemoryPerBlock()
                    + ": use more and narrower heads");
        }
        return bytes;
    }

    private boolean runsOnTensorCores(FloatType type, int headWidth, long... arrays) {
        return type == FloatType.BFLOAT16
                && headWidth % 8 == 0
                && headWidth <= TENSOR_WIDEST
                && device.computeCapability() >= 80
                && LongStream.of(arrays).allMatch(address -> address % 16 == 0);
    }

    /** The width that the kernels are compiled for: 32, 64 or 128. */
    private static int tensorWidth(int headWidth) {
        return headWidth <= 32 ? 32 : headWidth <= 64 ? 64 : TENSOR_WIDEST;
    }
}
