package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.requireSameLayers;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.dl4jsr.op.StepPart;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** DL4J's convolution of images on kernels is the same layer. */
class KernelConvolutionTest {

    private static final int BATCH = 6;
    private static final int SIZE = 7;
    private static final int CLASSES = 3;

    /** What the layer may meet. */
    enum Setting {
        PLAIN,
        CHANNELS_LAST {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.dataFormat(CNN2DFormat.NHWC).build();
            }
        },
        SAME_CHANNELS_LAST {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.dataFormat(CNN2DFormat.NHWC)
                        .convolutionMode(ConvolutionMode.Same)
                        .stride(2, 1)
                        .hasBias(false)
                        .build();
            }
        },
        SAME {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.convolutionMode(ConvolutionMode.Same)
                        .stride(2, 1)
                        .build();
            }
        },
        PADDED_AND_DILATED {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.padding(2, 1).dilation(2, 1).build();
            }
        },
        WITHOUT_BIAS {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.hasBias(false).build();
            }
        },
        RELU {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.activation(Activation.RELU).build();
            }
        },
        /** By the layer behind it, whose dropout changes what this one returns. */
        CHANGED {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.activation(Activation.RELU).build();
            }
        },
        SOFTMAX {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.activation(Activation.SOFTMAX).build();
            }
        },
        IDENTITY {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.activation(Activation.IDENTITY).build();
            }
        },
        LEAKY {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.activation(new ActivationReLU(null, 0.1, 0.2)).build();
            }
        },
        FROZEN {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return new FrozenLayer(builder.build());
            }
        };

        Layer layer(ConvolutionLayer.Builder builder) {
            return builder.build();
        }

        CNN2DFormat format() {
            return name().endsWith("CHANNELS_LAST") ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
        }

        MultiLayerConfiguration configuration() {
            CNN2DFormat format = format();
            return new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .activation(Activation.TANH)
                    .updater(new Adam(1e-2))
                    .list()
                    .layer(layer(new ConvolutionLayer.Builder(3, 2).nOut(19)))
                    .layer(new ConvolutionLayer.Builder(2, 2)
                            .nOut(5)
                            .dropOut(this == CHANGED ? new ShiftedInput() : null)
                            .dataFormat(format)
                            .build())
                    .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(CLASSES)
                            .activation(Activation.SOFTMAX)
                            .build())
                    .setInputType(InputType.convolutional(SIZE, SIZE, 2, format))
                    .build();
        }

        DataSet data() {
            long[] shape = format() == CNN2DFormat.NHWC
                    ? new long[] {BATCH, SIZE, SIZE, 2}
                    : new long[] {BATCH, 2, SIZE, SIZE};
            return LayerTesting.data(CLASSES, shape);
        }
    }

    @ParameterizedTest
    @EnumSource
    void isTheSameLayer(Setting setting) {
        DataSet data = setting.data();
        long calls = requireSameLayers(
                setting.configuration(),
                StepPart.CONVOLUTION,
                data.getFeatures(),
                network -> LayerTesting.gradient(network, data));
        assertEquals(setting == Setting.FROZEN ? 2 : 4, calls); // one forward pass and one backward a layer
    }

    /** Which training has no use for. */
    @ParameterizedTest
    @EnumSource
    void givesTheGradientOfItsInputToWhoeverAsks(Setting setting) {
        if (setting != Setting.FROZEN) { // which gives none
            LayerTesting.requireGradientOfInput(setting.configuration(), setting.data());
        }
    }
}
