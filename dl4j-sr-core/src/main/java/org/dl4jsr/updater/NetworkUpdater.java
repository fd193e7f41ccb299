package org.dl4jsr.updater;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;

/** DL4J's updater of a network, and its blocks of parameters, each of which is trained alike. */
final class NetworkUpdater {

    private NetworkUpdater() {}

    /**
     * That of a MultiLayerNetwork or ComputationGraph.
     *
     * @param initialize whether a network without one gets it; else null
     */
    static BaseMultiLayerUpdater<?> of(Model network, boolean initialize) {
        return network instanceof MultiLayerNetwork layers
                ? (BaseMultiLayerUpdater<?>) layers.getUpdater(initialize)
                : ((ComputationGraph) network).getUpdater(initialize);
    }

    /** What trains the block's parameters. */
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
