package org.dl4jsr.updater;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;

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
        for (Trainable layer : NetworkParts.layers(model)) {
            for (var parameter : layer.paramTable(false).entrySet()) {
                long end = start + parameter.getValue().length();
                ranges.add(new ParameterRange(layer.getConfig().getLayerName(), parameter.getKey(), start, end));
                start = end;
            }
        }
        return ranges;
    }
}
