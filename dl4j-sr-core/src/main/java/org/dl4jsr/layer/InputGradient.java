package org.dl4jsr.layer;

import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.backend.CallStack;

/** The gradient of a layer's input, which costs as much as that of its weights. */
final class InputGradient {

    private InputGradient() {}

    /**
     * Whether anyone will read it. A {@link MultiLayerNetwork} in training drops that of its first layer; whoever asks
     * for gradients in another way gets it, also while another network trains, as in its listener or loss function.
     */
    static boolean isWanted(Layer layer) {
        return layer.getIndex() > 0
                || !CallStack.isCalledBy(MultiLayerNetwork.class, "calcBackpropGradients", "computeGradientAndScore");
    }
}
