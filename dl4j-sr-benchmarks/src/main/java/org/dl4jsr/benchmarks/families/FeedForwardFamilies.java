package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Family.chain;
import static org.dl4jsr.benchmarks.families.Layers.classifier;
import static org.dl4jsr.benchmarks.families.Layers.dense;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.misc.RepeatVector;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers on vectors, and dense ones with every activation. */
final class FeedForwardFamilies {

    private static final InputType VECTOR = InputType.feedForward(8);

    private FeedForwardFamilies() {}

    static List<Family> all() {
        var families = new ArrayList<Family>();
        for (Activation activation : Activation.values()) {
            families.add(chain("Dense, " + activation, Tasks.patterns(8), VECTOR, dense(12, activation), classifier()));
        }
        families.addAll(List.of(
                chain(
                        "Dense without bias",
                        Tasks.patterns(8),
                        VECTOR,
                        new DenseLayer.Builder()
                                .nOut(12)
                                .hasBias(false)
                                .activation(Activation.TANH)
                                .build(),
                        classifier()),
                chain(
                        "Dense with layer normalization",
                        Tasks.patterns(8),
                        VECTOR,
                        new DenseLayer.Builder()
                                .nOut(12)
                                .hasLayerNorm(true)
                                .activation(Activation.TANH)
                                .build(),
                        classifier()),
                chain(
                        "ActivationLayer",
                        Tasks.patterns(8),
                        VECTOR,
                        dense(12, Activation.IDENTITY),
                        new ActivationLayer(Activation.ELU),
                        classifier()),
                chain(
                        "BatchNormalization after Dense",
                        Tasks.patterns(8),
                        VECTOR,
                        dense(12, Activation.IDENTITY),
                        new BatchNormalization(),
                        new ActivationLayer(Activation.RELU),
                        classifier()),
                chain(
                        "PReLU",
                        Tasks.patterns(8),
                        VECTOR,
                        dense(12, Activation.IDENTITY),
                        new PReLULayer.Builder().inputShape(12).build(),
                        classifier()),
                chain(
                        "ElementWiseMultiplication",
                        Tasks.patterns(8),
                        VECTOR,
                        new ElementWiseMultiplicationLayer.Builder()
                                .nIn(8)
                                .nOut(8)
                                .activation(Activation.TANH)
                                .build(),
                        classifier()),
                chain(
                        "RepeatVector",
                        Tasks.patterns(8),
                        VECTOR,
                        dense(12),
                        new RepeatVector.Builder<>(3).build(),
                        new GlobalPoolingLayer(PoolingType.AVG),
                        classifier()),
                chain(
                        "Embedding",
                        Tasks.tokens(600, 1),
                        InputType.feedForward(600),
                        new EmbeddingLayer.Builder()
                                .nIn(600)
                                .nOut(8)
                                .hasBias(true)
                                .activation(Activation.TANH)
                                .build(),
                        classifier()),
                chain(
                        "EmbeddingSequence",
                        Tasks.tokens(600, 5),
                        InputType.recurrent(600, 5),
                        new EmbeddingSequenceLayer.Builder()
                                .nIn(600)
                                .nOut(8)
                                .inputLength(5)
                                .build(),
                        new GlobalPoolingLayer(PoolingType.AVG),
                        classifier()),
                chain(
                        "CenterLossOutput",
                        Tasks.patterns(8),
                        VECTOR,
                        dense(12),
                        new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(Tasks.CLASSES)
                                .activation(Activation.SOFTMAX)
                                .alpha(0.1)
                                .lambda(0.01)
                                .build())));
        return families;
    }
}
