package org.dl4jsr.policy;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.samediff.AbstractSameDiffLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.updater.StochasticallyRounded;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/**
 * Replaces the updaters of a configuration's layers by DL4J's own: SrAdam by Adam, its weight decay by WeightDecay, and
 * a StochasticallyRounded updater by the one that it stands for. A schedule of dl4j-sr's gives way to its present value.
 */
final class StockUpdaters {

    private final int iteration;
    private final int epoch;

    StockUpdaters(int iteration, int epoch) {
        this.iteration = iteration;
        this.epoch = epoch;
    }

    void replace(ConfiguredLayers configuration) {
        configuration.layers().forEach(this::replace);
        configuration.vertices().forEach(this::replace);
    }

    private void replace(Layer layer) {
        if (layer instanceof BaseLayer base) {
            IUpdater updater = base.getIUpdater();
            IUpdater biasUpdater = base.getBiasUpdater();
            base.setRegularization(regularization(base.getRegularization(), updater));
            base.setRegularizationBias(
                    regularization(base.getRegularizationBias(), biasUpdater == null ? updater : biasUpdater));
            base.setIUpdater(stock(updater));
            base.setBiasUpdater(stock(biasUpdater));
        } else if (layer instanceof AbstractSameDiffLayer sameDiff) {
            IUpdater updater = sameDiff.getUpdater();
            IUpdater biasUpdater = sameDiff.getBiasUpdater();
            sameDiff.setRegularization(regularization(sameDiff.getRegularization(), updater));
            sameDiff.setRegularizationBias(
                    regularization(sameDiff.getRegularizationBias(), biasUpdater == null ? updater : biasUpdater));
            sameDiff.setUpdater(stock(updater));
            sameDiff.setBiasUpdater(stock(biasUpdater));
        }
    }

    private void replace(SameDiffVertex vertex) {
        IUpdater updater = vertex.getUpdater();
        IUpdater biasUpdater = vertex.getBiasUpdater();
        vertex.setRegularization(regularization(vertex.getRegularization(), updater));
        vertex.setRegularizationBias(
                regularization(vertex.getRegularizationBias(), biasUpdater == null ? updater : biasUpdater));
        vertex.setUpdater(stock(updater));
        vertex.setBiasUpdater(stock(biasUpdater));
    }

    private static List<Regularization> regularization(List<Regularization> regularization, IUpdater updater) {
        if (!(updater instanceof SrAdam adam) || adam.getWeightDecay() == 0) {
            return regularization;
        }
        var all = new ArrayList<>(regularization == null ? List.of() : regularization);
        all.add(new WeightDecay(adam.getWeightDecay(), true));
        return all;
    }

    private IUpdater stock(IUpdater updater) {
        if (updater instanceof StochasticallyRounded rounded) {
            return stock(rounded.getUpdater().clone());
        }
        if (updater instanceof SrAdam adam) {
            IUpdater stock = Adam.builder()
                    .beta1(adam.getBeta1())
                    .beta2(adam.getBeta2())
                    .epsilon(adam.getEpsilon())
                    .build();
            boolean ours = isOurs(adam.getLearningRateSchedule());
            double rate = adam.getLearningRate(iteration, epoch);
            stock.setLrAndSchedule(
                    ours || adam.getLearningRateSchedule() == null ? rate : Double.NaN,
                    ours ? null : adam.getLearningRateSchedule());
            return stock;
        }
        return updater;
    }

    private static boolean isOurs(Object object) {
        return object != null && object.getClass().getName().startsWith("org.dl4jsr.");
    }
}
