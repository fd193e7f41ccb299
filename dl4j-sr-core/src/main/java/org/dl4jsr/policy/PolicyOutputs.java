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
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;

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
        if (layer instanceof FrozenLayer frozen) {
            return replaced(frozen.getLayer(), preProcessor);
        }
        if (layer instanceof BaseOutputLayer && !(layer instanceof OCNNOutputLayer) || layer instanceof DenseLayer) {
            var base = (BaseLayer) layer;
            base.setWeightNoise(replaced(base.getWeightNoise()));
        }
        InputPreProcessor stock = preProcessor instanceof FloatInput input ? input.getFirst() : preProcessor;
        return wide && isWithoutParameters(layer) ? new FloatInput(stock) : stock;
    }

    private IWeightNoise replaced(IWeightNoise noise) {
        IWeightNoise stock = noise instanceof FloatOutputs outputs ? outputs.getNoise() : noise;
        return wide ? new FloatOutputs(stock) : stock;
    }

    private static boolean isWithoutParameters(Layer layer) {
        return layer instanceof LossLayer
                || layer instanceof RnnLossLayer
                || layer instanceof CnnLossLayer
                || layer instanceof Cnn3DLossLayer
                || layer instanceof Yolo2OutputLayer;
    }
}
