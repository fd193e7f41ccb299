package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Family.chain;
import static org.dl4jsr.benchmarks.families.Layers.classifier;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.variational.BernoulliReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.CompositeReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.ExponentialReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.GaussianReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.LossFunctionWrapper;
import org.deeplearning4j.nn.conf.layers.variational.ReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

/** Autoencoders, alone and as layers of a classifier, and the one-class network. */
final class UnsupervisedFamilies {

    private static final InputType VECTOR = InputType.feedForward(8);

    private UnsupervisedFamilies() {}

    static List<Family> all() {
        var families = new ArrayList<Family>();
        families.add(chain("AutoEncoder in a classifier", Tasks.patterns(8), VECTOR, autoEncoder(), classifier()));
        var distributions = new LinkedHashMap<String, ReconstructionDistribution>();
        distributions.put("Gaussian", new GaussianReconstructionDistribution(Activation.IDENTITY));
        distributions.put("Bernoulli", new BernoulliReconstructionDistribution(Activation.SIGMOID));
        distributions.put("exponential", new ExponentialReconstructionDistribution(Activation.IDENTITY));
        distributions.put(
                "composite",
                new CompositeReconstructionDistribution.Builder()
                        .addDistribution(4, new GaussianReconstructionDistribution(Activation.IDENTITY))
                        .addDistribution(4, new BernoulliReconstructionDistribution(Activation.SIGMOID))
                        .build());
        distributions.put("a loss", new LossFunctionWrapper(Activation.IDENTITY, new LossMSE()));
        distributions.forEach((name, distribution) -> families.add(chain(
                        "VariationalAutoencoder, pretrained, " + name,
                        positive(),
                        VECTOR,
                        variational(distribution),
                        classifier())
                .unlabelled()
                .with(builder -> builder.updater(new Adam(1e-2)))
                .fall(0.3)));
        families.add(chain(
                "VariationalAutoencoder in a classifier",
                Tasks.patterns(8),
                VECTOR,
                variational(new GaussianReconstructionDistribution(Activation.IDENTITY)),
                classifier()));
        families.add(chain(
                "OCNNOutputLayer",
                positive(),
                VECTOR,
                Layers.dense(8),
                new OCNNOutputLayer.Builder()
                        .nIn(8)
                        .hiddenLayerSize(6)
                        .activation(Activation.SIGMOID)
                        .nu(0.1)
                        .windowSize(1000)
                        .build()));
        return families;
    }

    private static AutoEncoder autoEncoder() {
        return new AutoEncoder.Builder().nOut(6).activation(Activation.SIGMOID).build();
    }

    private static VariationalAutoencoder variational(ReconstructionDistribution distribution) {
        return new VariationalAutoencoder.Builder()
                .nOut(3)
                .encoderLayerSizes(8)
                .decoderLayerSizes(8)
                .activation(Activation.TANH)
                .pzxActivationFunction(Activation.IDENTITY)
                .reconstructionDistribution(distribution)
                .build();
    }

    /** Zeros and ones by class, which every distribution takes. */
    private static MultiDataSet positive() {
        MultiDataSet data = Tasks.patterns(8);
        return new MultiDataSet(
                data.getFeatures(0).gt(0).castTo(data.getFeatures(0).dataType()), data.getLabels(0));
    }
}
