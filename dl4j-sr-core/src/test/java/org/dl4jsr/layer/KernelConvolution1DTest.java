package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.requireSameLayers;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.op.StepPart;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** DL4J's convolution of sequences on kernels is the same layer. */
class KernelConvolution1DTest {

    private static final int BATCH = 6;
    private static final int INPUTS = 5;
    private static final int TIME = 17;
    private static final int CLASSES = 3;

    /** What the layer may meet, and whether its kernels run then. */
    enum Setting {
        PLAIN(true),
        SAME(true) {
            @Override
            Layer layer(Convolution1DLayer.Builder builder) {
                return builder.convolutionMode(ConvolutionMode.Same).stride(2).build();
            }
        },
        PADDED_AND_DILATED(true) {
            @Override
            Layer layer(Convolution1DLayer.Builder builder) {
                return builder.padding(2).dilation(2).build();
            }
        },
        WITHOUT_BIAS(true) {
            @Override
            Layer layer(Convolution1DLayer.Builder builder) {
                return builder.hasBias(false).build();
            }
        },
        RELU(true) {
            @Override
            Layer layer(Convolution1DLayer.Builder builder) {
                return builder.activation(Activation.RELU).build();
            }
        },
        /** By the layer behind it, whose dropout changes what this one returns. */
        CHANGED(true) {
            @Override
            Layer layer(Convolution1DLayer.Builder builder) {
                return builder.activation(Activation.RELU).build();
            }
        },
        IDENTITY(true) {
            @Override
            Layer layer(Convolution1DLayer.Builder builder) {
                return builder.activation(Activation.IDENTITY).build();
            }
        },
        SOFTMAX(true) {
            @Override
            Layer layer(Convolution1DLayer.Builder builder) {
                return builder.activation(Activation.SOFTMAX).build();
            }
        },
        MASKED(true),
        CAUSAL(true) {
            @Override
            Layer layer(Convolution1DLayer.Builder builder) {
                return builder.convolutionMode(ConvolutionMode.Causal).build();
            }
        },
        CAUSAL_WITH_STEPS(true) {
            @Override
            Layer layer(Convolution1DLayer.Builder builder) {
                return builder.convolutionMode(ConvolutionMode.Causal)
                        .stride(2)
                        .dilation(3)
                        .build();
            }
        },
        FROZEN(false) {
            @Override
            Layer layer(Convolution1DLayer.Builder builder) {
                return new FrozenLayer(builder.build());
            }
        };

        private final boolean onKernels;

        Setting(boolean onKernels) {
            this.onKernels = onKernels;
        }

        Layer layer(Convolution1DLayer.Builder builder) {
            return builder.build();
        }

        MultiLayerConfiguration configuration() {
            return new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .activation(Activation.TANH)
                    .updater(new Adam(1e-2))
                    .list()
                    .layer(layer(new Convolution1DLayer.Builder().kernelSize(3).nOut(19)))
                    .layer(new Convolution1DLayer.Builder()
                            .kernelSize(2)
                            .nOut(4)
                            .dropOut(this == CHANGED ? new ShiftedInput() : null)
                            .build())
                    .layer(new GlobalPoolingLayer(PoolingType.AVG))
                    .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(CLASSES)
                            .activation(Activation.SOFTMAX)
                            .build())
                    .setInputType(InputType.recurrent(INPUTS, TIME))
                    .build();
        }

        DataSet data() {
            return LayerTesting.data(CLASSES, BATCH, INPUTS, TIME);
        }

        INDArray gradient(MultiLayerNetwork network, DataSet data) {
            if (this == MASKED) {
                INDArray mask = Nd4j.ones(DataType.FLOAT, BATCH, TIME);
                mask.get(NDArrayIndex.point(1), NDArrayIndex.interval(9, TIME)).assign(0);
                network.setLayerMaskArrays(mask, null);
            }
            return LayerTesting.gradient(network, data);
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
                network -> setting.gradient(network, data));
        assertEquals(setting.onKernels ? 4 : 2, calls); // one forward pass and one backward a layer
    }

    @ParameterizedTest
    @EnumSource
    void givesTheGradientOfItsInputToWhoeverAsks(Setting setting) {
        if (setting.onKernels) {
            LayerTesting.requireGradientOfInput(setting.configuration(), setting.data());
        }
    }
}
