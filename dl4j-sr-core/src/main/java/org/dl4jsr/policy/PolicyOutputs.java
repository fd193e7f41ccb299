package org.dl4jsr.policy;

import java.util.HashMap;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.deeplearning4j.nn.params.EmptyParamInitializer;

/**
 * Puts {@link FloatOutputs} and {@link FloatInput} on the layers that a network's outputs come from, or removes them.
 */
final class PolicyOutputs {

    private final boolean wide;

    /** @param wide whether a BF16 network has FLOAT outputs */
    PolicyOutputs(boolean wide) {
        this.wide = wide;
    }

    void replace(MultiLayerConfiguration network) {
        int last = network.getConfs().size() - 1;
        var preProcessors = new HashMap<>(network.getInputPreProcessors());
        InputPreProcessor preProcessor = replaced(network.getConf(last).getLayer(), network.getInputPreProcess(last));
        if (preProcessor == null) {
            preProcessors.remove(last);
        } else {
            preProcessors.put(last, preProcessor);
        }
        network.setInputPreProcessors(preProcessors);
    }

    void replace(ComputationGraphConfiguration graph) {
        graph.getNetworkOutputs().forEach(name -> replace(graph.getVertices().get(name)));
    }

    private void replace(GraphVertex vertex) {
        if (vertex instanceof FrozenVertex frozen) {
            replace(frozen.getUnderlying());
        } else if (vertex instanceof LayerVertex layer) {
            layer.setPreProcessor(replaced(layer.getLayerConf().getLayer(), layer.getPreProcessor()));
        }
    }

    /** The preprocessor that the layer is to have, null for none. */
    private InputPreProcessor replaced(Layer layer, InputPreProcessor preProcessor) {
        replaceNoise(layer);
        InputPreProcessor stock = preProcessor instanceof FloatInput input ? input.getFirst() : preProcessor;
        return wide && takesFloat(layer) ? new FloatInput(stock) : stock;
    }

    private void replaceNoise(Layer layer) {
        for (Layer own : ConfiguredLayers.withWrapped(layer)) {
            if (takesTypeOfParameters(own)) {
                var base = (BaseLayer) own;
                base.setWeightNoise(replaced(base.getWeightNoise()));
            }
        }
    }

    /** Others would fail at parameters and input of two types, or give results in the network's type all the same. */
    private static boolean takesTypeOfParameters(Layer layer) {
        return layer instanceof BaseOutputLayer && !(layer instanceof OCNNOutputLayer)
                || layer instanceof DenseLayer
                || layer instanceof ConvolutionLayer
                || layer instanceof BaseRecurrentLayer;
    }

    private IWeightNoise replaced(IWeightNoise noise) {
        IWeightNoise stock = noise instanceof FloatOutputs outputs ? outputs.getNoise() : noise;
        return wide ? new FloatOutputs(stock) : stock;
    }

    /** Whether the layer's results have the type of its input. */
    private static boolean takesFloat(Layer layer) {
        Layer own = layer instanceof FrozenLayer frozen ? frozen.getLayer() : layer;
        return own.initializer() instanceof EmptyParamInitializer;
    }
}
