package org.dl4jsr.policy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;

/**
 * Copies of configurations, with layers of their own; what no policy changes is shared. Neither of DL4J's ways does it:
 * {@code clone()} leaves wrapped layers in common and forgets a graph's counters and its vertices' settings, and JSON
 * cannot hold layers that a program defines on the spot.
 */
final class ConfigurationCopies {

    private ConfigurationCopies() {}

    /** A copy with the same layers. */
    static MultiLayerConfiguration of(MultiLayerConfiguration network) {
        return of(network, UnaryOperator.identity());
    }

    /** A copy with a replacement for the copy of each layer. */
    static MultiLayerConfiguration of(MultiLayerConfiguration network, UnaryOperator<Layer> replacement) {
        MultiLayerConfiguration copy = network.clone();
        copy.setConfs(new ArrayList<>(network.getConfs().stream()
                .map(configuration -> of(configuration, replacement))
                .toList()));
        copy.setInputPreProcessors(new HashMap<>(network.getInputPreProcessors()));
        return copy;
    }

    /** A copy with a replacement for the copy of each layer, and for each vertex that is none. */
    static ComputationGraphConfiguration of(
            ComputationGraphConfiguration graph,
            UnaryOperator<Layer> replacement,
            UnaryOperator<GraphVertex> vertexReplacement) {
        var copy = new ComputationGraphConfiguration();
        var vertices = new LinkedHashMap<String, GraphVertex>();
        for (Map.Entry<String, GraphVertex> vertex : graph.getVertices().entrySet()) {
            vertices.put(vertex.getKey(), of(vertex.getValue(), replacement, vertexReplacement));
        }
        copy.setVertices(vertices);
        copy.setVertexInputs(new LinkedHashMap<>(graph.getVertexInputs()));
        copy.setNetworkInputs(new ArrayList<>(graph.getNetworkInputs()));
        copy.setNetworkOutputs(new ArrayList<>(graph.getNetworkOutputs()));
        copy.setDefaultConfiguration(graph.getDefaultConfiguration().clone());
        copy.setTrainingWorkspaceMode(graph.getTrainingWorkspaceMode());
        copy.setInferenceWorkspaceMode(graph.getInferenceWorkspaceMode());
        copy.setCacheMode(graph.getCacheMode());
        copy.setDataType(graph.getDataType());
        copy.setValidateOutputLayerConfig(graph.isValidateOutputLayerConfig());
        copy.setBackpropType(graph.getBackpropType());
        copy.setTbpttFwdLength(graph.getTbpttFwdLength());
        copy.setTbpttBackLength(graph.getTbpttBackLength());
        copy.setIterationCount(graph.getIterationCount());
        copy.setEpochCount(graph.getEpochCount());
        copy.setTopologicalOrder(graph.getTopologicalOrder());
        copy.setTopologicalOrderStr(graph.getTopologicalOrderStr());
        return copy;
    }

    private static NeuralNetConfiguration of(NeuralNetConfiguration configuration, UnaryOperator<Layer> replacement) {
        NeuralNetConfiguration copy = configuration.clone();
        copy.setLayer(of(configuration.getLayer(), replacement));
        return copy;
    }

    private static GraphVertex of(
            GraphVertex vertex, UnaryOperator<Layer> replacement, UnaryOperator<GraphVertex> vertexReplacement) {
        if (vertex instanceof LayerVertex layer) {
            var copy = (LayerVertex) layer.clone(); // of its own class
            copy.setLayerConf(of(layer.getLayerConf(), replacement));
            copy.setPreProcessor(layer.getPreProcessor());
            copy.setOutputVertex(layer.isOutputVertex());
            return copy;
        }
        if (vertex instanceof FrozenVertex frozen) {
            return new FrozenVertex(of(frozen.getUnderlying(), replacement, vertexReplacement));
        }
        // one defined on the spot cannot be created again
        return vertex instanceof SameDiffVertex sameDiff && !vertex.getClass().isAnonymousClass()
                ? of(sameDiff)
                : vertexReplacement.apply(vertex);
    }

    private static SameDiffVertex of(SameDiffVertex vertex) {
        var copy = (SameDiffVertex) vertex.clone();
        copy.setName(vertex.getName());
        copy.setRegularization(vertex.getRegularization());
        copy.setRegularizationBias(vertex.getRegularizationBias());
        copy.setUpdater(vertex.getUpdater());
        copy.setBiasUpdater(vertex.getBiasUpdater());
        copy.setGradientNormalization(vertex.getGradientNormalization());
        copy.setGradientNormalizationThreshold(vertex.getGradientNormalizationThreshold());
        copy.setDataType(vertex.getDataType());
        return copy;
    }

    private static Layer of(Layer layer, UnaryOperator<Layer> replacement) {
        Layer copy = replacement.apply(layer.clone());
        if (copy instanceof Bidirectional both) {
            both.setFwd(of(both.getFwd(), replacement));
            both.setBwd(of(both.getBwd(), replacement));
        } else if (copy instanceof BaseWrapperLayer wrapper) {
            wrapper.setUnderlying(of(wrapper.getUnderlying(), replacement));
        }
        return copy;
    }
}
