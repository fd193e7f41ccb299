package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelConstant.DIGIT_BITS;
import static org.dl4jsr.kernel.cuda.KernelConstant.PANEL;
import static org.dl4jsr.kernel.cuda.KernelConstant.SORT_CHUNK;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.WARP;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelSource.EMBEDDING;

import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.TransformerKernels;

/** The gradients of an embedding: rows are sorted by their tokens, then summed; and summed over the batch. */
final class CudaEmbedding {

    /** Bytes of a token and its row. */
    private static final long TOKEN_ROW = 2L * Integer.BYTES;

    private final KernelLauncher launcher;
    private final DeviceScratch scratch;

    CudaEmbedding(KernelLauncher launcher, DeviceScratch scratch) {
        this.launcher = launcher;
        this.scratch = scratch;
    }

    /** As {@link TransformerKernels#embeddingBackward}. */
    void backward(
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
        int rows = Math.multiplyExact(batch, time);
        int tokenBits = Integer.SIZE - Integer.numberOfLeadingZeros(vocabulary - 1);
        int passes = Math.max(1, (int) blocks(tokenBits, DIGIT_BITS.value)); // one even where there is only one token
        long sortChunks = blocks(rows, SORT_CHUNK.value);
        long chunks = blocks(rows, WARP.value);
        long partialBytes = 2L * Float.BYTES * chunks * width; // first, at a 16-byte boundary for every width
        long orderBytes = TOKEN_ROW * rows;
        long countBytes = (long) Integer.BYTES * sortChunks << DIGIT_BITS.value; // of a pass
        long partial = scratch.reserve(partialBytes + 2 * orderBytes + passes * countBytes)
                .address();
        long order = 0;
        long sorted = partial + partialBytes;
        long other = sorted + orderBytes;
        long counts = other + orderBytes;
        launcher.kernel(EMBEDDING, "countTokens")
                .add(tokens, counts)
                .add(rows, passes)
                .launch(THREADS.value, sortChunks);
        for (int pass = 0; pass < passes; pass++) { // the least digit first
            long nextCounts = counts + countBytes;
            launcher.kernel(EMBEDDING, "sortTokens")
                    .add(tokens, order, counts, sorted, pass + 1 < passes ? nextCounts : 0)
                    .add(rows, pass * DIGIT_BITS.value)
                    .launch(THREADS.value, sortChunks);
            order = sorted;
            sorted = other;
            other = order;
            counts = nextCounts;
        }
        launcher.kernel(EMBEDDING, "sumTokens", type)
                .add(order, dy, dTokenTable, partial)
                .add(rows, width, accumulate ? 1 : 0);
        launch(chunks, width);
        int overwritten = accumulate ? 0 : vocabulary;
        launcher.kernel(EMBEDDING, "finishTables", type)
                .add(order, partial, dy, dTokenTable, dPositionTable)
                .add(batch, time, width, overwritten);
        launch(chunks + blocks(overwritten, WARP.value) + time, width);
    }

    /** A warp for each panel of columns of each chunk, or position. */
    private void launch(long chunks, int width) {
        launcher.launch(THREADS.value, blocks(chunks * blocks(width, PANEL.value) * WARP.value, THREADS.value));
    }
}
