package org.dl4jsr.examples.run;

import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.nn.GptConfiguration;

/**
 * The shape of a GPT.
 *
 * @param preset name of the model size that it comes from
 * @param layers transformer blocks
 * @param heads attention heads a block; divide the width
 * @param width of the residual stream
 * @param context tokens the model sees at once
 * @param vocabulary rows of the token embedding: the tokenizer's, padded to a multiple of 64
 * @param tiedHead whether the head's matrix is the token embedding
 */
public record ModelShape(
        String preset, int layers, int heads, int width, int context, int vocabulary, boolean tiedHead) {

    private static final int MOST_LAYERS = 1000;
    private static final int MOST = 1 << 16;

    public ModelShape {
        BadInput.requireRange("layers", layers, MOST_LAYERS);
        BadInput.requireRange("width", width, MOST);
        BadInput.requireRange("heads", heads, width);
        BadInput.requireRange("--context", context, MOST);
        BadInput.requireRange("vocabulary", vocabulary, MOST);
        if (width % heads != 0) {
            throw new BadInput("heads " + heads + " do not divide the width of " + width);
        }
    }

    /** Parameters of the model; nothing is allocated. */
    public long parameters() {
        return toGpt().build().parameters();
    }

    /**
     * Floating-point operations a token, forward and backward: 6 a weight of every matrix, and in every block 6 a unit
     * of width and token of context for causal attention.
     */
    public double flopsPerToken() {
        double block = 12.0 * width * width;
        return 6 * (layers * (block + (double) context * width) + (double) vocabulary * width);
    }

    public ModelShape withLayers(int newLayers) {
        return new ModelShape(preset, newLayers, heads, width, context, vocabulary, tiedHead);
    }

    /** Heads keep their width as far as they can. */
    public ModelShape withWidth(int newWidth) {
        int newHeads = Math.max(1, newWidth * heads / width);
        return new ModelShape(preset, layers, newHeads, newWidth, context, vocabulary, tiedHead);
    }

    public ModelShape withContext(int newContext) {
        return new ModelShape(preset, layers, heads, width, newContext, vocabulary, tiedHead);
    }

    public ModelShape withVocabulary(int newVocabulary) {
        return new ModelShape(preset, layers, heads, width, context, newVocabulary, tiedHead);
    }

    GptConfiguration.Builder toGpt() {
        return GptConfiguration.builder()
                .layers(layers)
                .width(width)
                .heads(heads)
                .context(context)
                .vocabulary(vocabulary)
                .tiedHead(tiedHead);
    }
}
