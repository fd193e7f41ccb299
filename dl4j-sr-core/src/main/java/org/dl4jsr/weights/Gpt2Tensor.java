package org.dl4jsr.weights;

/**
 * A tensor of a GPT-2 and where a graph has it.
 *
 * @param name in Hugging Face's files, without the prefix that those of a model with a head have
 * @param ggufName in GGUF
 * @param offset in the graph's flattened parameters
 * @param shape row-major, in the graph and in Hugging Face's files: matrices multiply from the right in both
 * @param transposedInGguf whether GGUF has [columns, rows]
 */
record Gpt2Tensor(String name, String ggufName, long offset, long[] shape, boolean transposedInGguf) {

    static final String TOKENS = "wte.weight";
    static final String POSITIONS = "wpe.weight";
    static final String HEAD = "lm_head.weight";

    boolean isMatrix() {
        return shape.length == 2;
    }

    long length() {
        return isMatrix() ? shape[0] * shape[1] : shape[0];
    }

    /** The first {@code rows} rows. */
    Gpt2Tensor rows(long rows) {
        return new Gpt2Tensor(name, ggufName, offset, new long[] {rows, shape[1]}, transposedInGguf);
    }
}
