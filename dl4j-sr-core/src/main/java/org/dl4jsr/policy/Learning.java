package org.dl4jsr.policy;

import java.util.List;
import java.util.function.Predicate;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;

/** What a layer's configuration says about learning; the bias updater may be null for the same one. */
record Learning(
        IUpdater updater,
        IUpdater biasUpdater,
        List<Regularization> regularization,
        List<Regularization> regularizationBias) {

    /** What takes the place of a layer's learning. */
    interface Replacement {

        /**
         * @param parameters their names
         * @param isBias whether a parameter of that name is a bias
         */
        Learning of(TrainingConfig layer, List<String> parameters, Predicate<String> isBias, Learning learning);
    }

    /** Replaces the learning of every layer and vertex that has parameters. DL4J keeps it in three kinds of classes. */
    static void replace(ConfiguredLayers configuration, Replacement replacement) {
        configuration.layers().forEach(layer -> replace(layer, replacement));
        configuration.vertices().forEach(vertex -> replace(vertex, replacement));
    }

    private static void replace(Layer layer, Replacement replacement) {
        if (layer instanceof BaseLayer base) {
            var initializer = base.initializer();
            var learning = replacement.of(
                    base,
                    initializer.paramKeys(base),
                    key -> initializer.isBiasParam(base, key),
                    new Learning(
                            base.getIUpdater(),
                            base.getBiasUpdater(),
                            base.getRegularization(),
                            base.getRegularizationBias()));
            base.setIUpdater(learning.updater);
            base.setBiasUpdater(learning.biasUpdater);
            base.setRegularization(learning.regularization);
            base.setRegularizationBias(learning.regularizationBias);
        } else if (layer instanceof AbstractSameDiffLayer sameDiff) {
            var parameters = sameDiff.getLayerParams();
            var learning = replacement.of(
                    sameDiff,
                    parameters.getParameterKeys(),
                    parameters::isBiasParam,
                    new Learning(
                            sameDiff.getUpdater(),
                            sameDiff.getBiasUpdater(),
                            sameDiff.getRegularization(),
                            sameDiff.getRegularizationBias()));
            sameDiff.setUpdater(learning.updater);
            sameDiff.setBiasUpdater(learning.biasUpdater);
            sameDiff.setRegularization(learning.regularization);
            sameDiff.setRegularizationBias(learning.regularizationBias);
        }
    }

    private static void replace(SameDiffVertex vertex, Replacement replacement) {
        var parameters = vertex.getVertexParams();
        var learning = replacement.of(
                vertex,
                parameters.getParameterKeys(),
                parameters::isBiasParam,
                new Learning(
                        vertex.getUpdater(),
                        vertex.getBiasUpdater(),
                        vertex.getRegularization(),
                        vertex.getRegularizationBias()));
        vertex.setUpdater(learning.updater);
        vertex.setBiasUpdater(learning.biasUpdater);
        vertex.setRegularization(learning.regularization);
        vertex.setRegularizationBias(learning.regularizationBias);
    }
}
