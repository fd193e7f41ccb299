package org.dl4jsr.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.deeplearning4j.nn.api.OptimizationAlgorithm;
import org.deeplearning4j.nn.api.TrainingConfig;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.dl4jsr.rounding.WeightWrite;
import org.dl4jsr.updater.FusedUpdater;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.updater.StochasticallyRounded;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.regularization.Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;
import org.nd4j.linalg.schedule.FixedSchedule;
import org.nd4j.linalg.schedule.ISchedule;

/**
 * Replaces the updaters of a configuration's layers by those of a policy: Adam by its SrAdam, which takes over the
 * weight decay, and others, in BF16, by StochasticallyRounded ones.
 */
final class PolicyUpdaters {

    private final Bf16Policy policy;
    private final long seed;

    /** @param seed of the network, for random bits where an updater names no seed, which is 0 */
    PolicyUpdaters(Bf16Policy policy, long seed) {
        this.policy = policy;
        this.seed = seed;
    }

    void replace(ConfiguredLayers configuration) {
        configuration.configurations().forEach(PolicyUpdaters::requireGradientDescent);
        Learning.replace(configuration, this::replaced);
    }

    private static void requireGradientDescent(NeuralNetConfiguration configuration) {
        OptimizationAlgorithm algorithm = configuration.getOptimizationAlgo();
        if (algorithm != OptimizationAlgorithm.STOCHASTIC_GRADIENT_DESCENT) {
            throw new IllegalArgumentException("optimizationAlgo is " + algorithm + ", and SrAdam works with"
                    + " STOCHASTIC_GRADIENT_DESCENT only: a line search reads updates before they are written");
        }
    }

    private Learning replaced(
            TrainingConfig layer, List<String> parameters, Predicate<String> isBias, Learning learning) {
        IUpdater updater = learning.updater();
        IUpdater biasUpdater = learning.biasUpdater() == null ? updater : learning.biasUpdater();
        var weights = new ArrayList<String>();
        var biases = new ArrayList<String>();
        for (String parameter : parameters) {
            IUpdater owner = layer.getUpdaterByParam(parameter);
            if (owner == updater || owner == biasUpdater) { // and not the NoOp of batch normalization's statistics
                (isBias.test(parameter) ? biases : weights).add(parameter);
            }
        }
        IUpdater newUpdater = replaced(layer, weights, updater);
        IUpdater newBiasUpdater =
                biases.isEmpty() && learning.biasUpdater() == null ? newUpdater : replaced(layer, biases, biasUpdater);
        return new Learning(
                newUpdater,
                learning.biasUpdater() == null && newUpdater != null && newUpdater.equals(newBiasUpdater)
                        ? null
                        : newBiasUpdater,
                isFused(updater) ? withoutWeightDecay(learning.regularization()) : learning.regularization(),
                isFused(biasUpdater)
                        ? withoutWeightDecay(learning.regularizationBias())
                        : learning.regularizationBias());
    }

    /** Whether it is fused under a policy. */
    private static boolean isFused(IUpdater updater) {
        return updater instanceof FusedUpdater || updater != null && updater.getClass() == Adam.class;
    }

    /** The policy's updater in place of {@code updater} for these parameters of the layer. */
    private IUpdater replaced(TrainingConfig layer, List<String> parameters, IUpdater updater) {
        if (!isFused(updater)) {
            return updater == null || updater instanceof NoOp ? updater : other(updater);
        }
        FusedUpdater fused = updater instanceof FusedUpdater given ? given : srAdam((Adam) updater);
        return fused.toBuilder()
                .weightWrite(policy.weightWrite())
                .seed(fused.getSeed() == 0 ? seed : fused.getSeed())
                .weightDecay(fused.getWeightDecay() + weightDecay(layer, parameters, fused))
                .build();
    }

    /** What takes the place of an updater that is not fused, of which there is no form with masters or compensations. */
    private IUpdater other(IUpdater updater) {
        var given = updater instanceof StochasticallyRounded rounded ? rounded : null;
        IUpdater stock = (given == null ? updater : given.getUpdater()).clone();
        if (policy.dataType() == DataType.FLOAT) {
            return stock;
        }
        return new StochasticallyRounded(
                stock,
                given == null || given.getSeed() == 0 ? seed : given.getSeed(),
                switch (policy.weightWrite()) {
                    case NEAREST -> WeightWrite.NEAREST;
                    case STOCHASTIC, KAHAN, MASTER -> WeightWrite.STOCHASTIC;
                });
    }

    private static SrAdam srAdam(Adam adam) {
        var builder = SrAdam.builder()
                .learningRateSchedule(adam.getLearningRateSchedule())
                .beta1(adam.getBeta1())
                .beta2(adam.getBeta2())
                .epsilon(adam.getEpsilon());
        return (adam.getLearningRateSchedule() == null ? builder.learningRate(adam.getLearningRate()) : builder)
                .build();
    }

    /** The decay, times the learning rate, that regularization after the updater puts on all of these parameters. */
    private static double weightDecay(TrainingConfig layer, List<String> parameters, FusedUpdater fused) {
        Double decay = null;
        for (String parameter : parameters) {
            double own = 0;
            List<Regularization> regularization = layer.getRegularizationByParam(parameter);
            for (Regularization r : regularization == null ? List.<Regularization>of() : regularization) {
                if (r.applyStep() == Regularization.ApplyStep.POST_UPDATER) {
                    own += weightDecay(layer, parameter, r, fused);
                }
            }
            if (decay != null && decay != own) {
                throw new IllegalArgumentException("Layer " + layer.getLayerName() + " puts weight decay " + decay
                        + " on " + parameters.get(0) + " and " + own + " on " + parameter
                        + ", which share one updater: " + fused.name()
                        + " has one weight decay for all of its parameters");
            }
            decay = own;
        }
        return decay == null ? 0 : decay;
    }

    private static double weightDecay(
            TrainingConfig layer, String parameter, Regularization regularization, FusedUpdater fused) {
        String where = " of parameter " + parameter + " of layer " + layer.getLayerName();
        if (!(regularization instanceof WeightDecay weightDecay)) {
            throw new IllegalArgumentException("Regularization " + regularization + where
                    + " is applied after the updater, and " + fused.name() + " can take over WeightDecay only");
        }
        ISchedule coefficient = weightDecay.getCoeff();
        if (!(coefficient instanceof FixedSchedule)) {
            throw new IllegalArgumentException("The coefficient of the WeightDecay" + where + " is a schedule, "
                    + coefficient + ": " + fused.name() + "'s weight decay is fixed");
        }
        double value = coefficient.valueAt(0, 0);
        if (weightDecay.isApplyLR()) {
            return value;
        }
        if (fused.getLearningRateSchedule() != null || fused.getLearningRate(0, 0) == 0) {
            throw new IllegalArgumentException(
                    "The WeightDecay" + where + " does not follow the learning rate (applyLR false), and "
                            + fused.name() + "'s does: that is the same only for a fixed learning rate above 0");
        }
        return value / fused.getLearningRate(0, 0);
    }

    private static List<Regularization> withoutWeightDecay(List<Regularization> regularization) {
        return regularization == null
                ? null
                : new ArrayList<>(regularization.stream()
                        .filter(r -> !(r instanceof WeightDecay))
                        .toList());
    }
}
