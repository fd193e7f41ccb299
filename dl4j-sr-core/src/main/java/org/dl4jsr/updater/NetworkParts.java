package org.dl4jsr.updater;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.MultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.nn.updater.graph.ComputationGraphUpdater;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;

/**
 * What updaters have to do with in a MultiLayerNetwork or ComputationGraph, which DL4J has no common interface for. Each
 * method throws IllegalArgumentException for a model of another class.
 */
final class NetworkParts {

    private NetworkParts() {}

    /** What the flattened parameters belong to, in their order. */
    static List<? extends Trainable> layers(Model network) {
        if (network instanceof MultiLayerNetwork layers) {
            return Arrays.asList(layers.getLayers());
        }
        ComputationGraph graph = graph(network);
        return IntStream.of(graph.topologicalSortOrder())
                .mapToObj(i -> graph.getVertices()[i])
                .filter(vertex -> vertex.numParams() > 0)
                .toList();
    }

    /** The flattened gradient, which a network gets that has none yet. */
    static INDArray gradient(Model network) {
        if (network instanceof MultiLayerNetwork layers) {
            if (layers.getFlattenedGradients() == null) {
                layers.initGradientsView();
            }
            return layers.getFlattenedGradients();
        }
        ComputationGraph graph = graph(network);
        if (graph.getFlattenedGradients() == null) {
            graph.initGradientsView();
        }
        return graph.getFlattenedGradients();
    }

    /**
     * DL4J's updater.
     *
     * @param initialize whether a network without one gets it; else null
     */
    static BaseMultiLayerUpdater<?> updater(Model network, boolean initialize) {
        return network instanceof MultiLayerNetwork layers
                ? (BaseMultiLayerUpdater<?>) layers.getUpdater(initialize)
                : graph(network).getUpdater(initialize);
    }

    /** A new updater of DL4J's for the network, which does not have it yet. */
    static BaseMultiLayerUpdater<?> newUpdater(Model network) {
        return network instanceof MultiLayerNetwork layers
                ? new MultiLayerUpdater(layers)
                : new ComputationGraphUpdater(graph(network));
    }

    /** Gives the network a {@link #newUpdater}. */
    static void setUpdater(Model network, BaseMultiLayerUpdater<?> updater) {
        if (network instanceof MultiLayerNetwork layers) {
            layers.setUpdater(updater);
        } else {
            graph(network).setUpdater((ComputationGraphUpdater) updater);
        }
    }

    private static ComputationGraph graph(Model network) {
        if (network instanceof ComputationGraph graph) {
            return graph;
        }
        throw new IllegalArgumentException("A model of " + network.getClass().getName()
                + " where a MultiLayerNetwork or a ComputationGraph was expected");
    }

    /** What trains the parameters of a block, which are trained alike. */
    static IUpdater config(UpdaterBlock block) {
        var first = block.getLayersAndVariablesInBlock().get(0);
        return first.getLayer().getConfig().getUpdaterByParam(first.getParamName());
    }

    /** The updater state of a block that {@code fused} trains. */
    static UpdaterState state(UpdaterBlock block, FusedUpdater fused) {
        INDArray view = block.getUpdaterView();
        return UpdaterState.checked(
                view.reshape(view.length()), fused, (long) block.getParamOffsetEnd() - block.getParamOffsetStart());
    }
}
