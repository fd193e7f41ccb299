package org.dl4jsr.updater;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;

/**
 * One parameter array in a network's flattened parameters.
 *
 * @param layer name of the layer or vertex
 * @param parameter name of the parameter in it, such as W
 * @param start first element
 * @param end behind the last element
 */
record ParameterRange(String layer, String parameter, long start, long end) {

    /** The ranges of a network's parameters in the order of the flattened array. */
    static List<ParameterRange> of(Model model) {
        var ranges = new ArrayList<ParameterRange>();
        long start = 0;
        for (Trainable layer : layers(model)) {
            for (var parameter : layer.paramTable(false).entrySet()) {
                long end = start + parameter.getValue().length();
                ranges.add(new ParameterRange(layer.getConfig().getLayerName(), parameter.getKey(), start, end));
                start = end;
            }
        }
        return ranges;
    }

    private static List<? extends Trainable> layers(Model model) {
        if (model instanceof MultiLayerNetwork network) {
            return Arrays.asList(network.getLayers());
        }
        if (model instanceof ComputationGraph graph) {
            return IntStream.of(graph.topologicalSortOrder())
                    .mapToObj(i -> graph.getVertices()[i])
                    .filter(vertex -> vertex.numParams() > 0)
                    .toList();
        }
        throw new IllegalArgumentException("A model of " + model.getClass().getName()
                + " where a MultiLayerNetwork or a ComputationGraph was expected");
    }
}
