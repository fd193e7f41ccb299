package org.dl4jsr.examples;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.solvers.BaseOptimizer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What DL4J's StochasticGradientDescent does in {@code fit} once the gradient is there. */
final class OptimizerStep {

    private OptimizerStep() {}

    /** Updates the parameters of {@code network} by its gradient and counts the iteration. */
    static void take(ComputationGraph network) {
        int iteration = BaseOptimizer.getIterationCount(network);
        int epoch = BaseOptimizer.getEpochCount(network);
        for (TrainingListener listener : network.getListeners()) {
            listener.onGradientCalculation(network);
        }
        network.getUpdater()
                .update(network.gradient(), iteration, epoch, network.batchSize(), LayerWorkspaceMgr.noWorkspaces());
        INDArray gradient = network.getFlattenedGradients();
        network.params().subi(gradient.reshape(gradient.length()));
        for (TrainingListener listener : network.getListeners()) {
            listener.iterationDone(network, iteration, epoch);
        }
        BaseOptimizer.incrementIterationCount(network, 1);
    }
}
