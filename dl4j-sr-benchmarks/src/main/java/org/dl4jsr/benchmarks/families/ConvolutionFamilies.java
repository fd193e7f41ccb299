package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Family.chain;
import static org.dl4jsr.benchmarks.families.Layers.classifier;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.SpaceToBatchLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Layers on sequences and images. */
final class ConvolutionFamilies {

    private static final InputType SEQUENCE = InputType.recurrent(3, 8);
    private static final InputType IMAGE = InputType.convolutional(6, 6, 2);

    /** Shapes of boxes that Yolo2 starts from. */
    private static final int PRIORS = 2;

    private ConvolutionFamilies() {}

    static List<Family> all() {
        var families = new ArrayList<Family>();
        sequences(families);
        images(families);
        return families;
    }

    private static void sequences(List<Family> families) {
        for (ConvolutionMode mode : List.of(ConvolutionMode.Same, ConvolutionMode.Truncate, ConvolutionMode.Causal)) {
            families.add(chain(
                    "Convolution1D, " + mode,
                    Tasks.patterns(3, 8),
                    SEQUENCE,
                    new Convolution1DLayer.Builder()
                            .kernelSize(3)
                            .nOut(4)
                            .convolutionMode(mode)
                            .activation(Activation.TANH)
                            .build(),
                    new GlobalPoolingLayer(PoolingType.AVG),
                    classifier()));
        }
        families.add(chain(
                "Convolution1D with dilation",
                Tasks.patterns(3, 8),
                SEQUENCE,
                new Convolution1DLayer.Builder()
                        .kernelSize(3)
                        .dilation(2)
                        .nOut(4)
                        .activation(Activation.TANH)
                        .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                classifier()));
        for (SubsamplingLayer.PoolingType pooling : List.of(
                SubsamplingLayer.PoolingType.MAX,
                SubsamplingLayer.PoolingType.AVG,
                SubsamplingLayer.PoolingType.PNORM)) {
            families.add(chain(
                    "Subsampling1D, " + pooling,
                    Tasks.patterns(3, 8),
                    SEQUENCE,
                    convolution1d(),
                    new Subsampling1DLayer.Builder(pooling, 2, 2).pnorm(2).build(),
                    new GlobalPoolingLayer(PoolingType.AVG),
                    classifier()));
        }
        families.addAll(List.of(
                chain(
                        "Upsampling1D",
                        Tasks.patterns(3, 8),
                        SEQUENCE,
                        convolution1d(),
                        new Upsampling1D.Builder(2).build(),
                        new GlobalPoolingLayer(PoolingType.AVG),
                        classifier()),
                chain(
                        "ZeroPadding1D, Cropping1D",
                        Tasks.patterns(3, 8),
                        SEQUENCE,
                        convolution1d(),
                        new ZeroPadding1DLayer(1, 2),
                        new Cropping1D(2),
                        new GlobalPoolingLayer(PoolingType.AVG),
                        classifier()),
                chain(
                        "LocallyConnected1D",
                        Tasks.patterns(3, 8),
                        SEQUENCE,
                        new LocallyConnected1D.Builder()
                                .nIn(3)
                                .nOut(4)
                                .kernelSize(3)
                                .setInputSize(8)
                                .activation(Activation.TANH)
                                .build(),
                        new GlobalPoolingLayer(PoolingType.AVG),
                        classifier())));
    }

    private static void images(List<Family> families) {
        for (ConvolutionMode mode : List.of(ConvolutionMode.Same, ConvolutionMode.Truncate, ConvolutionMode.Strict)) {
            families.add(image(
                    "Convolution2D, " + mode,
                    new ConvolutionLayer.Builder(3, 3)
                            .nOut(4)
                            .convolutionMode(mode)
                            .activation(Activation.TANH)
                            .build()));
        }
        families.add(chain(
                "Convolution2D of flat images",
                Tasks.patterns(72),
                InputType.convolutionalFlat(6, 6, 2),
                convolution(),
                classifier()));
        families.add(image(
                "Convolution2D with stride and dilation",
                new ConvolutionLayer.Builder(2, 2)
                        .nOut(4)
                        .stride(2, 2)
                        .dilation(2, 2)
                        .activation(Activation.TANH)
                        .build()));
        families.add(chain(
                "Convolution2D, Subsampling, BatchNormalization, NHWC",
                Tasks.patterns(6, 6, 2),
                InputType.convolutional(6, 6, 2, CNN2DFormat.NHWC),
                new ConvolutionLayer.Builder(3, 3)
                        .nOut(4)
                        .dataFormat(CNN2DFormat.NHWC)
                        .activation(Activation.TANH)
                        .build(),
                new BatchNormalization.Builder().dataFormat(CNN2DFormat.NHWC).build(),
                new SubsamplingLayer.Builder(PoolingType.MAX)
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .dataFormat(CNN2DFormat.NHWC)
                        .build(),
                classifier()));
        families.add(image(
                "SeparableConvolution2D",
                new SeparableConvolution2D.Builder(3, 3)
                        .nOut(4)
                        .depthMultiplier(2)
                        .activation(Activation.TANH)
                        .build()));
        families.add(image(
                "DepthwiseConvolution2D",
                new DepthwiseConvolution2D.Builder()
                        .kernelSize(3, 3)
                        .depthMultiplier(2)
                        .nOut(4)
                        .activation(Activation.TANH)
                        .build()));
        families.add(image(
                "Deconvolution2D",
                new Deconvolution2D.Builder(2, 2)
                        .stride(2, 2)
                        .nOut(3)
                        .activation(Activation.TANH)
                        .build()));
        families.add(image(
                "Deconvolution2D, Same, behind a convolution",
                convolution(),
                new Deconvolution2D.Builder(3, 3)
                        .stride(2, 2)
                        .convolutionMode(ConvolutionMode.Same)
                        .nOut(3)
                        .activation(Activation.TANH)
                        .build()));
        families.add(image(
                "LocallyConnected2D",
                new LocallyConnected2D.Builder()
                        .nIn(2)
                        .nOut(3)
                        .kernelSize(3, 3)
                        .setInputSize(6, 6)
                        .activation(Activation.TANH)
                        .build()));
        for (PoolingType pooling : List.of(PoolingType.MAX, PoolingType.AVG, PoolingType.PNORM)) {
            families.add(image(
                    "Subsampling, " + pooling,
                    convolution(),
                    new SubsamplingLayer.Builder(pooling)
                            .kernelSize(2, 2)
                            .stride(2, 2)
                            .pnorm(2)
                            .build()));
        }
        families.add(image(
                "Subsampling, AVG, of overlapping windows with padding",
                convolution(),
                new SubsamplingLayer.Builder(PoolingType.AVG)
                        .kernelSize(3, 3)
                        .stride(2, 2)
                        .padding(1, 1)
                        .avgPoolIncludePadInDivisor(true)
                        .build()));
        for (PoolingType pooling : PoolingType.values()) {
            families.add(image("GlobalPooling of images, " + pooling, convolution(), new GlobalPoolingLayer(pooling)));
        }
        families.add(image("Upsampling2D", convolution(), new Upsampling2D.Builder(2).build()));
        families.add(image("ZeroPadding, Cropping2D", convolution(), new ZeroPaddingLayer(1, 2), new Cropping2D(2, 1)));
        families.add(
                image("SpaceToDepth", convolution(), new SpaceToDepthLayer.Builder<>(2, CNN2DFormat.NCHW).build()));
        families.add(image("SpaceToBatch", convolution(), new SpaceToBatchLayer.Builder<>(new int[] {1, 1}).build()));
        families.add(image(
                "LocalResponseNormalization",
                convolution(),
                new LocalResponseNormalization.Builder().k(1).alpha(0.5).build()));
        families.add(image("BatchNormalization of images", convolution(), new BatchNormalization()));
        families.add(image(
                "BatchNormalization with fixed gain",
                convolution(),
                new BatchNormalization.Builder()
                        .lockGammaBeta(true)
                        .useLogStd(true)
                        .build()));
        families.add(image(
                "PReLU of images",
                convolution(),
                new PReLULayer.Builder().inputShape(4, 4, 4).build()));
        families.add(chain(
                "Yolo2Output",
                boxes(),
                InputType.convolutional(3, 3, 2),
                new ConvolutionLayer.Builder(1, 1)
                        .nOut(PRIORS * (5 + 2))
                        .activation(Activation.IDENTITY)
                        .build(),
                new Yolo2OutputLayer.Builder()
                        .boundingBoxPriors(Nd4j.create(new float[][] {{1, 1}, {0.5f, 1.5f}}))
                        .build()));
    }

    /** One object of two classes in each image of 3 x 3 cells; its features lie in its cell. */
    private static MultiDataSet boxes() {
        var random = new Random(15);
        INDArray features = Tasks.gaussian(random, Tasks.EXAMPLES, 2, 3, 3).muli(0.1);
        INDArray labels = Nd4j.create(DataType.FLOAT, Tasks.EXAMPLES, 4 + 2, 3, 3);
        for (int i = 0; i < Tasks.EXAMPLES; i++) {
            int row = random.nextInt(3);
            int column = random.nextInt(3);
            int type = random.nextInt(2);
            features.putScalar(new int[] {i, type, row, column}, 2);
            float[] corners = {column + 0.1f, row + 0.2f, column + 0.9f, row + 0.8f}; // left, top, right, bottom
            for (int corner = 0; corner < 4; corner++) {
                labels.putScalar(new int[] {i, corner, row, column}, corners[corner]);
            }
            labels.putScalar(new int[] {i, 4 + type, row, column}, 1);
        }
        return new MultiDataSet(features, labels);
    }

    private static Family image(String name, Layer... layers) {
        return chain(name, Tasks.patterns(2, 6, 6), IMAGE, classified(layers));
    }

    static Layer[] classified(Layer... layers) {
        var all = new ArrayList<>(List.of(layers));
        all.add(classifier());
        return all.toArray(new Layer[0]);
    }

    private static ConvolutionLayer convolution() {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(4)
                .activation(Activation.TANH)
                .build();
    }

    private static Convolution1DLayer convolution1d() {
        return new Convolution1DLayer.Builder()
                .kernelSize(3)
                .nOut(4)
                .activation(Activation.TANH)
                .build();
    }
}
