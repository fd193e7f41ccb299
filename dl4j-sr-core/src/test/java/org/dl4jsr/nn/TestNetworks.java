package org.dl4jsr.nn;

import java.util.Random;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Tiny networks and data of the tests. */
final class TestNetworks {

    static final int[][] TOKENS = {{3, 1, 4, 1, 5}, {2, 0, 6, 5, 3}, {5, 5, 4, 2, 1}};
    static final int[][] LABELS = {{1, 4, 1, 5, 6}, {0, 6, 5, 3, 5}, {5, 4, 2, 1, 0}};

    private TestNetworks() {}

    static GptConfiguration.Builder tiny() {
        return GptConfiguration.builder().layers(2).width(8).heads(2).context(5).vocabulary(7);
    }

    static ComputationGraph network(GptConfiguration configuration) {
        return network(configuration.toGraph());
    }

    static ComputationGraph network(GptConfiguration configuration, WorkspaceMode workspaces) {
        var graph = configuration.toGraph();
        graph.setTrainingWorkspaceMode(workspaces);
        graph.setInferenceWorkspaceMode(workspaces);
        return network(graph);
    }

    static ComputationGraph network(ComputationGraphConfiguration configuration) {
        var net = new ComputationGraph(configuration);
        net.init();
        return net;
    }

    /** As {@link #network}, with parameters so large that every gradient matters; gains are near 1. */
    static ComputationGraph lively(GptConfiguration configuration) {
        var net = network(configuration);
        var random = new Random(5);
        net.paramTable().forEach((name, values) -> {
            var flat = new float[(int) values.length()];
            for (int i = 0; i < flat.length; i++) {
                flat[i] = (float) (random.nextGaussian() * 0.4 + (name.endsWith("Gain") ? 1 : 0));
            }
            values.assign(Nd4j.createFromArray(flat).reshape('c', values.shape()));
        });
        return net;
    }

    static INDArray ints(int[][] values) {
        return Nd4j.createFromArray(values);
    }

    static DataSet data() {
        return new DataSet(ints(TOKENS), ints(LABELS));
    }

    /** Computes and returns the flattened gradient, a copy in FLOAT. */
    static INDArray gradient(ComputationGraph net, DataSet data) {
        net.setInputs(data.getFeatures());
        net.setLabels(data.getLabels());
        net.setLayerMaskArrays(
                data.getFeaturesMaskArray() == null ? null : new INDArray[] {data.getFeaturesMaskArray()},
                data.getLabelsMaskArray() == null ? null : new INDArray[] {data.getLabelsMaskArray()});
        net.computeGradientAndScore();
        return net.getFlattenedGradients().castTo(DataType.FLOAT).dup();
    }
}
