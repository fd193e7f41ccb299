package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Layers.classifier;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.nd4j.linalg.activations.Activation;

/** Layers of the other families, one upon the other as networks in use have them. */
final class DeepFamilies {

    private DeepFamilies() {}

    static List<Family> all() {
        var layers = new ArrayList<Layer>();
        for (int i = 0; i < 4; i++) {
            layers.add(new ConvolutionLayer.Builder(3, 3)
                    .nOut(6)
                    .convolutionMode(ConvolutionMode.Same)
                    .hasBias(false)
                    .activation(Activation.IDENTITY)
                    .build());
            layers.add(
                    new BatchNormalization.Builder().activation(Activation.RELU).build());
            if (i % 2 == 1) {
                layers.add(new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .build());
            }
        }
        layers.add(classifier());
        return List.of(Family.chain(
                "Four convolutions with BatchNormalization",
                Tasks.patterns(2, 8, 8),
                InputType.convolutional(8, 8, 2),
                layers.toArray(new Layer[0])));
    }
}
