package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelConstant.BACKWARD_KEYS_TILES;
import static org.dl4jsr.kernel.cuda.KernelConstant.BACKWARD_QUERIES_TILES;
import static org.dl4jsr.kernel.cuda.KernelConstant.BACKWARD_SCORES;
import static org.dl4jsr.kernel.cuda.KernelConstant.FORWARD_SCORES;
import static org.dl4jsr.kernel.cuda.KernelConstant.FORWARD_TILES;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.TILE;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelSource.KEYATTENTION;

import org.dl4jsr.kernel.AttentionShape;

/** Attention of {@link CudaArrayKernels}, in FP32; heads are as wide as {@link CudaAttention} says. */
final class CudaKeyAttention {

    private final CudaDevice device;
    private final KernelLauncher launcher;

    CudaKeyAttention(CudaDevice device, KernelLauncher launcher) {
        this.device = device;
        this.launcher = launcher;
    }

    void forward(AttentionShape shape, long q, long k, long v, long visible, long out, long logSumExp) {
        launcher.kernel(KEYATTENTION, "keyAttentionForward").add(q, k, v, visible, out, logSumExp);
        launch(shape, shape.queries(), FORWARD_TILES, FORWARD_SCORES);
    }

    void backward(
            AttentionShape shape,
            long q,
            long k,
            long v,
            long visible,
            long out,
            long logSumExp,
            long dOut,
            long dQ,
            long dK,
            long dV) {
        launcher.kernel(KEYATTENTION, "keyAttentionBackwardKeys").add(q, k, v, visible, out, logSumExp, dOut, dK, dV);
        launch(shape, shape.keys(), BACKWARD_KEYS_TILES, BACKWARD_SCORES);
        launcher.kernel(KEYATTENTION, "keyAttentionBackwardQueries").add(q, k, v, visible, out, logSumExp, dOut, dQ);
        launch(shape, shape.queries(), BACKWARD_QUERIES_TILES, BACKWARD_SCORES);
    }

    /** @param rows queries or keys, by the tile of which blocks go */
    private void launch(AttentionShape shape, int rows, KernelConstant tiles, KernelConstant scores) {
        int bytes = CudaAttention.tileBytes(device, tiles, scores, shape.headWidth());
        launcher.add(shape.queries(), shape.keys(), shape.heads(), shape.headWidth())
                .launch(THREADS.value, (long) shape.batch() * shape.heads(), blocks(rows, TILE.value), bytes);
    }
}
