package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Family.chain;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Convolution3D.DataFormat;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling3D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding3DLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping3D;
import org.nd4j.linalg.activations.Activation;

/** Layers on volumes. */
final class VolumeFamilies {

    private static final InputType VOLUME = InputType.convolutional3D(DataFormat.NCDHW, 4, 4, 4, 2);

    private VolumeFamilies() {}

    static List<Family> all() {
        var families = new ArrayList<Family>();
        families.add(volume(
                "Convolution3D",
                new Convolution3D.Builder(2, 2, 2)
                        .nOut(3)
                        .activation(Activation.TANH)
                        .build()));
        families.add(volume(
                "Convolution3D, Same, with steps",
                new Convolution3D.Builder(3, 3, 3)
                        .stride(2, 2, 2)
                        .convolutionMode(ConvolutionMode.Same)
                        .nOut(3)
                        .activation(Activation.TANH)
                        .build()));
        families.add(volume(
                "Deconvolution3D",
                new Deconvolution3D.Builder()
                        .kernelSize(2, 2, 2)
                        .stride(1, 1, 1)
                        .nOut(2)
                        .activation(Activation.TANH)
                        .build()));
        for (Subsampling3DLayer.PoolingType pooling : Subsampling3DLayer.PoolingType.values()) {
            families.add(volume(
                    "Subsampling3D, " + pooling,
                    convolution3d(),
                    new Subsampling3DLayer.Builder(pooling)
                            .kernelSize(2, 2, 2)
                            .stride(1, 1, 1)
                            .build()));
        }
        families.add(volume(
                "Upsampling3D",
                convolution3d(),
                new Upsampling3D.Builder(DataFormat.NCDHW, 2).build(),
                new GlobalPoolingLayer(PoolingType.AVG)));
        families.add(volume(
                "ZeroPadding3D, Cropping3D",
                convolution3d(),
                new ZeroPadding3DLayer.Builder(1, 1, 1).build(),
                new Cropping3D(1, 0, 1)));
        families.add(volume("GlobalPooling of volumes", convolution3d(), new GlobalPoolingLayer(PoolingType.AVG)));
        return families;
    }

    private static Family volume(String name, Layer... layers) {
        return chain(name, Tasks.patterns(2, 4, 4, 4), VOLUME, ConvolutionFamilies.classified(layers));
    }

    private static Convolution3D convolution3d() {
        return new Convolution3D.Builder(2, 2, 2)
                .nOut(3)
                .activation(Activation.TANH)
                .build();
    }
}
