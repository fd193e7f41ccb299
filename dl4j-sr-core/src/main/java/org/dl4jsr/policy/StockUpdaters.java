package org.dl4jsr.policy;

import java.util.ArrayList;
import java.util.List;
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
        Learning.replace(configuration, (layer, parameters, isBias, learning) -> stock(learning));
    }

    private Learning stock(Learning learning) {
        IUpdater updater = learning.updater();
        IUpdater biasUpdater = learning.biasUpdater();
        return new Learning(
                stock(updater),
                stock(biasUpdater),
                regularization(learning.regularization(), updater),
                regularization(learning.regularizationBias(), biasUpdater == null ? updater : biasUpdater));
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
