package org.dl4jsr.updater;

import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Steps with given gradients, as reinforcement learning and others take them past {@code fit}. */
final class ExternalGradients {

    private ExternalGradients() {}

    /** Must be called once before {@link #step}: the network's gradients by name. */
    static void prepare(MultiLayerNetwork network) {
        network.setInput(TestNetworks.DATA.getFeatures());
        network.setLabels(TestNetworks.DATA.getLabels());
        network.computeGradientAndScore();
    }

    /** One update with the flattened {@code gradient}. */
    static void step(MultiLayerNetwork network, INDArray gradient, int iteration) {
        network.getFlattenedGradients().assign(gradient);
        network.getUpdater().update(network, network.gradient(), iteration, 0, 1, LayerWorkspaceMgr.noWorkspaces());
        INDArray gradients = network.getFlattenedGradients();
        network.params().reshape(gradients.shape()).subi(gradients);
    }
}
