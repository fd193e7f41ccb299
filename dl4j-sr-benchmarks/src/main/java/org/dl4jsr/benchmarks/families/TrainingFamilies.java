package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Family.chain;
import static org.dl4jsr.benchmarks.families.Layers.classifier;
import static org.dl4jsr.benchmarks.families.Layers.dense;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.constraint.MaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.MinMaxNormConstraint;
import org.deeplearning4j.nn.conf.constraint.NonNegativeConstraint;
import org.deeplearning4j.nn.conf.constraint.UnitNormConstraint;
import org.deeplearning4j.nn.conf.distribution.NormalDistribution;
import org.deeplearning4j.nn.conf.dropout.AlphaDropout;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.dropout.GaussianDropout;
import org.deeplearning4j.nn.conf.dropout.GaussianNoise;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.dropout.SpatialDropout;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.conf.weightnoise.WeightNoise;
import org.nd4j.linalg.activations.Activation;

/** What changes the training of layers: noise, regularization, constraints, gradient normalization, freezing. */
final class TrainingFamilies {

    private static final InputType VECTOR = InputType.feedForward(8);

    private TrainingFamilies() {}

    static List<Family> all() {
        var families = new ArrayList<Family>();
        for (IDropout dropout :
                List.of(new Dropout(0.8), new AlphaDropout(0.9), new GaussianDropout(0.2), new GaussianNoise(0.2))) {
            families.add(chain(
                    dropout.getClass().getSimpleName(),
                    Tasks.patterns(8),
                    VECTOR,
                    dense(12),
                    new DropoutLayer.Builder(dropout).build(),
                    classifier()));
        }
        families.add(chain(
                "SpatialDropout",
                Tasks.patterns(2, 6, 6),
                InputType.convolutional(6, 6, 2),
                new ConvolutionLayer.Builder(3, 3)
                        .nOut(4)
                        .activation(Activation.TANH)
                        .build(),
                new DropoutLayer.Builder(new SpatialDropout(0.8)).build(),
                classifier()));
        families.addAll(List.of(
                configured("L1", builder -> builder.l1(1e-3).l1Bias(1e-3)),
                configured("L2", builder -> builder.l2(1e-2).l2Bias(1e-2)),
                configured("WeightDecay", builder -> builder.weightDecay(0.1).weightDecayBias(0.1)),
                configured("MaxNormConstraint", builder -> builder.constrainWeights(new MaxNormConstraint(0.8, 0))),
                configured(
                        "MinMaxNormConstraint",
                        builder -> builder.constrainWeights(new MinMaxNormConstraint(0.5, 0.8, 0.5, 0))),
                configured(
                        "NonNegativeConstraint", // constrainAllParameters has no effect in M2.1
                        builder -> builder.constrainWeights(new NonNegativeConstraint())),
                configured("UnitNormConstraint", builder -> builder.constrainWeights(new UnitNormConstraint(0))),
                configured("DropConnect", builder -> builder.weightNoise(new DropConnect(0.9))),
                configured(
                        "WeightNoise, added",
                        builder -> builder.weightNoise(new WeightNoise(new NormalDistribution(0, 0.05)))),
                configured(
                        "WeightNoise, multiplied", // with noise on biases M2.1 adds it at inference, too
                        builder ->
                                builder.weightNoise(new WeightNoise(new NormalDistribution(1, 0.05), false, false)))));
        for (GradientNormalization normalization : GradientNormalization.values()) {
            if (normalization != GradientNormalization.None) {
                families.add(configured(
                        "GradientNormalization, " + normalization,
                        builder -> builder.gradientNormalization(normalization).gradientNormalizationThreshold(0.05)));
            }
        }
        families.add(
                chain("FrozenLayer", Tasks.patterns(8), VECTOR, new FrozenLayer(dense(12)), dense(12), classifier()));
        families.add(chain(
                "FrozenLayerWithBackprop",
                Tasks.patterns(8),
                VECTOR,
                dense(12),
                new FrozenLayerWithBackprop(dense(12)),
                classifier()));
        return families;
    }

    private static Family configured(String name, Consumer<NeuralNetConfiguration.Builder> settings) {
        return chain(name, Tasks.patterns(8), VECTOR, dense(12), dense(12), classifier())
                .with(settings);
    }
}
