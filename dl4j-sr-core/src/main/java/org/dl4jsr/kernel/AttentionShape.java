package org.dl4jsr.kernel;

/**
 * Sizes of an attention.
 *
 * @param batch sequences
 * @param queries of a sequence
 * @param keys of a sequence, and values
 * @param heads that share the width of queries, keys and values
 * @param headWidth of each
 */
public record AttentionShape(int batch, int queries, int keys, int heads, int headWidth) {

    /** The width of queries, keys and values: that of all heads. */
    public int width() {
        return heads * headWidth;
    }
}
