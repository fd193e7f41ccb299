package org.dl4jsr.policy;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaVertex;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;

/**
 * Where a network's configuration keeps the settings of its layers.
 *
 * @param configurations of the network, and of each layer
 * @param layers every layer, also those that others wrap, which may have settings of their own
 * @param vertices a graph's vertices with parameters of their own
 */
record ConfiguredLayers(
        List<NeuralNetConfiguration> configurations, List<Layer> layers, List<SameDiffVertex> vertices) {

    /** The seed of the network, from which its parameters are drawn. */
    long seed() {
        return configurations.get(0).getSeed();
    }

    static ConfiguredLayers of(MultiLayerConfiguration network) {
        var all = new ConfiguredLayers(network.getConfs(), new ArrayList<>(), List.of());
        network.getConfs().forEach(configuration -> add(configuration.getLayer(), all.layers));
        return all;
    }

    static ConfiguredLayers of(ComputationGraphConfiguration graph) {
        var all = new ConfiguredLayers(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        all.configurations.add(graph.getDefaultConfiguration());
        graph.getVertices().values().forEach(all::add);
        return all;
    }

    private void add(GraphVertex vertex) {
        if (vertex instanceof LayerVertex layer) {
            configurations.add(layer.getLayerConf());
            add(layer.getLayerConf().getLayer(), layers);
        } else if (vertex instanceof FrozenVertex frozen) {
            add(frozen.getUnderlying());
        } else if (vertex instanceof SameDiffVertex sameDiff && !(vertex instanceof SameDiffLambdaVertex)) {
            vertices.add(sameDiff); // a lambda has no parameters, and fails if asked before it has a data type
        }
    }

    /** {@code layer}, and those that it wraps. */
    static List<Layer> withWrapped(Layer layer) {
        var all = new ArrayList<Layer>();
        add(layer, all);
        return all;
    }

    private static void add(Layer layer, List<Layer> all) {
        all.add(layer);
        if (layer instanceof Bidirectional both) {
            add(both.getFwd(), all);
            add(both.getBwd(), all);
        } else if (layer instanceof BaseWrapperLayer wrapper) {
            add(wrapper.getUnderlying(), all);
        } else if (layer instanceof FrozenLayer frozen) {
            add(frozen.getLayer(), all);
        }
    }
}
