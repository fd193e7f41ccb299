package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelConstant.DIGIT_BITS;
import static org.dl4jsr.kernel.cuda.KernelConstant.PANEL;
import static org.dl4jsr.kernel.cuda.KernelConstant.SORT_CHUNK;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.WARP;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelSource.EMBEDDING;

import org.dl4jsr.kernel.FloatType;

/** The gradient of a token table: rows are sorted by their tokens, then summed. */
final class CudaEmbedding {

    /** Bytes of a token and its row. */
    private static final long TOKEN_ROW = 2L * Integer.BYTES;

    private final KernelLauncher launcher;
    private final DeviceScratch scratch;

    CudaEmbedding(KernelLauncher launcher, DeviceScratch scratch) {
        this.launcher = launcher;
        this.scratch = scratch;
    }

    /** dTokenTable [vocabulary, width] += the rows of dy [rows, width]; all zero so far where {@code add} is not set. */
    void backward(
            FloatType type, long tokens, long dy, long dTokenTable, int rows, int width, int vocabulary, boolean add) {
        long sortChunks = blocks(rows, SORT_CHUNK.value);
        long chunks = blocks(rows, WARP.value);
        long partialBytes = 2L * Float.BYTES * chunks * width; // first, at a 16-byte boundary for every width
        long orderBytes = TOKEN_ROW * rows;
        long countBytes = (long) Integer.BYTES * sortChunks << DIGIT_BITS.value;
        long partial =
                scratch.reserve(partialBytes + 2 * orderBytes + countBytes).address();
        long order = 0;
        long sorted = partial + partialBytes;
        long other = sorted + orderBytes;
        long counts = other + orderBytes;
        // the least digit first, and one even where there is only one token
        for (int shift = 0; shift == 0 || vocabulary - 1 >> shift > 0; shift += DIGIT_BITS.value) {
            launcher.kernel(EMBEDDING, "countTokens")
                    .add(tokens, order, counts)
                    .add(rows, shift)
                    .launch(THREADS.value, sortChunks);
            launcher.kernel(EMBEDDING, "sortTokens")
                    .add(tokens, order, counts, sorted)
                    .add(rows, shift)
                    .launch(THREADS.value, sortChunks);
            order = sorted;
            sorted = other;
            other = order;
        }
        launcher.kernel(EMBEDDING, "sumTokens", type)
                .add(order, dy, dTokenTable, partial)
                .add(rows, width, add ? 1 : 0);
        launch(chunks, width);
        launcher.kernel(EMBEDDING, "joinTokens", type)
                .add(order, partial, dTokenTable)
                .add(rows, width);
        launch(chunks, width);
    }

    /** A warp for each panel of columns of each chunk. */
    private void launch(long chunks, int width) {
        launcher.launch(THREADS.value, blocks(chunks * blocks(width, PANEL.value) * WARP.value, THREADS.value));
    }
}
