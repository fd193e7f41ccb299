package org.dl4jsr.parallel;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Updater;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.solvers.BaseOptimizer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** What a training step needs of DL4J's two classes of networks, which have no common interface for it. */
sealed interface TrainedNetwork {

    /** @throws IllegalArgumentException for a model of another class */
    static TrainedNetwork of(Model model) {
        TrainedNetwork network;
        if (model instanceof MultiLayerNetwork layers) {
            network = new Layered(layers);
        } else if (model instanceof ComputationGraph graph) {
            network = new Graph(graph);
        } else {
            throw new IllegalArgumentException("A model of " + model.getClass().getName()
                    + " where a MultiLayerNetwork or a ComputationGraph was expected");
        }
        if (model.getGradientsViewArray() == null) {
            network.initGradientsView();
        }
        return network;
    }

    Model model();

    void initGradientsView();

    /** Computes gradient and score of {@code batch}. */
    void computeGradient(MultiDataSet batch);

    /** Makes what is to be subtracted of the gradient. */
    void update(int iteration, int epoch, int batchSize);

    void setScore(double score);

    /**
     * The network's updater.
     *
     * @param initialize whether a network without one gets it; else null
     */
    Updater updater(boolean initialize);

    /** Sets how many iterations and epochs have been. */
    void setCounts(int iterations, int epochs);

    Collection<TrainingListener> listeners();

    List<Layer> layers();

    /** Time steps of a segment of truncated back-propagation through time, 0 where there is none. */
    int segmentLength();

    String configurationJson();

    /** The updater state in DL4J's view; null where there is none, or none yet. */
    default INDArray storedState() {
        Updater updater = updater(false);
        return updater == null ? null : updater.getStateViewArray();
    }

    /** Examples of the batch that the gradient is of. */
    default int batchSize() {
        return model().batchSize();
    }

    /** Iterations so far. */
    default int iteration() {
        return BaseOptimizer.getIterationCount(model());
    }

    /** Epochs so far. */
    default int epoch() {
        return BaseOptimizer.getEpochCount(model());
    }

    /** Of the network's random numbers. */
    default long seed() {
        return layers().get(0).conf().getSeed();
    }

    /** The flattened gradient, [n]. */
    default INDArray gradients() {
        INDArray view = model().getGradientsViewArray();
        return view.reshape(view.length());
    }

    /** The flattened parameters, [n]. */
    default INDArray parameters() {
        INDArray view = model().params();
        return view.reshape(view.length());
    }

    /** A MultiLayerNetwork. */
    record Layered(MultiLayerNetwork model) implements TrainedNetwork {

        @Override
        public void initGradientsView() {
            model.initGradientsView();
        }

        @Override
        public void computeGradient(MultiDataSet batch) {
            model.setLayerMaskArrays(only(batch.getFeaturesMaskArrays()), only(batch.getLabelsMaskArrays()));
            model.setInput(only(batch.getFeatures()));
            model.setLabels(only(batch.getLabels()));
            model.computeGradientAndScore();
            model.clearLayerMaskArrays();
        }

        @Override
        public void update(int iteration, int epoch, int batchSize) {
            model.getUpdater()
                    .update(model, model.gradient(), iteration, epoch, batchSize, LayerWorkspaceMgr.noWorkspaces());
        }

        @Override
        public void setScore(double score) {
            model.setScore(score);
        }

        @Override
        public Updater updater(boolean initialize) {
            return model.getUpdater(initialize);
        }

        @Override
        public void setCounts(int iterations, int epochs) {
            var configuration = model.getLayerWiseConfigurations();
            configuration.setIterationCount(iterations);
            configuration.setEpochCount(epochs);
            layers().forEach(layer -> layer.setIterationCount(iterations));
            layers().forEach(layer -> layer.setEpochCount(epochs));
        }

        @Override
        public Collection<TrainingListener> listeners() {
            return model.getListeners();
        }

        @Override
        public List<Layer> layers() {
            return Arrays.asList(model.getLayers());
        }

        @Override
        public int segmentLength() {
            var configuration = model.getLayerWiseConfigurations();
            return configuration.getBackpropType() == BackpropType.TruncatedBPTT
                    ? configuration.getTbpttFwdLength()
                    : 0;
        }

        @Override
        public String configurationJson() {
            return model.getLayerWiseConfigurations().toJson();
        }

        private static INDArray only(INDArray[] arrays) {
            if (arrays == null) {
                return null;
            }
            if (arrays.length != 1) {
                throw new IllegalArgumentException(
                        arrays.length + " arrays in a data set for a MultiLayerNetwork, expected one");
            }
            return arrays[0];
        }
    }

    /** A ComputationGraph. */
    record Graph(ComputationGraph model) implements TrainedNetwork {

        @Override
        public void initGradientsView() {
            model.initGradientsView();
        }

        @Override
        public void computeGradient(MultiDataSet batch) {
            model.setLayerMaskArrays(batch.getFeaturesMaskArrays(), batch.getLabelsMaskArrays());
            model.setInputs(batch.getFeatures());
            model.setLabels(batch.getLabels());
            model.computeGradientAndScore();
            model.clearLayerMaskArrays();
        }

        @Override
        public void update(int iteration, int epoch, int batchSize) {
            model.getUpdater().update(model.gradient(), iteration, epoch, batchSize, LayerWorkspaceMgr.noWorkspaces());
        }

        @Override
        public void setScore(double score) {
            model.setScore(score);
        }

        @Override
        public Updater updater(boolean initialize) {
            return model.getUpdater(initialize);
        }

        @Override
        public void setCounts(int iterations, int epochs) {
            var configuration = model.getConfiguration();
            configuration.setIterationCount(iterations);
            configuration.setEpochCount(epochs);
            layers().forEach(layer -> layer.setIterationCount(iterations));
            layers().forEach(layer -> layer.setEpochCount(epochs));
        }

        @Override
        public Collection<TrainingListener> listeners() {
            return model.getListeners();
        }

        @Override
        public List<Layer> layers() {
            return Arrays.asList(model.getLayers());
        }

        @Override
        public int segmentLength() {
            var configuration = model.getConfiguration();
            return configuration.getBackpropType() == BackpropType.TruncatedBPTT
                    ? configuration.getTbpttFwdLength()
                    : 0;
        }

        @Override
        public String configurationJson() {
            return model.getConfiguration().toJson();
        }
    }
}
