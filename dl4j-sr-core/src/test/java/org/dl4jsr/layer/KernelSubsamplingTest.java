package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.network;
import static org.dl4jsr.layer.LayerTesting.requireSameLayers;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.StepPart;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** DL4J's pooling of images and activation layer on kernels are the same layers, and keep the layout of convolutions. */
class KernelSubsamplingTest {

    private static final int BATCH = 6;
    private static final int SIZE = 9;
    private static final int CLASSES = 3;

    /** What the layers may meet, and whether they leave the channels of images last in memory. */
    enum Setting {
        MAX(true),
        OVERLAPPING(true) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.kernelSize(3, 2).stride(1, 2).build();
            }
        },
        SAME(true) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.convolutionMode(ConvolutionMode.Same)
                        .stride(2, 1)
                        .build();
            }
        },
        PADDED(true) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.padding(1, 1).build();
            }
        },
        DILATED(true) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.dilation(2, 1).build();
            }
        },
        AVERAGE(true) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.poolingType(PoolingType.AVG).build();
            }
        },
        AVERAGE_WITHOUT_PADDING(true) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.poolingType(PoolingType.AVG)
                        .kernelSize(3, 2)
                        .padding(1, 1)
                        .build();
            }
        },
        AVERAGE_WITH_PADDING(true) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.poolingType(PoolingType.AVG)
                        .kernelSize(3, 2)
                        .padding(1, 1)
                        .avgPoolIncludePadInDivisor(true)
                        .build();
            }
        },
        AVERAGE_SAME(true) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.poolingType(PoolingType.AVG)
                        .convolutionMode(ConvolutionMode.Same)
                        .stride(2, 1)
                        .build();
            }
        },
        AVERAGE_CHANNELS_LAST(true) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.poolingType(PoolingType.AVG)
                        .dataFormat(CNN2DFormat.NHWC)
                        .build();
            }
        },
        P_NORM(false) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.poolingType(PoolingType.PNORM).pnorm(2).build();
            }
        },
        CHANNELS_LAST(true) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return builder.dataFormat(CNN2DFormat.NHWC).build();
            }
        },
        FROZEN(false) {
            @Override
            Layer pooling(SubsamplingLayer.Builder builder) {
                return new FrozenLayer(builder.build());
            }
        },
        OTHER_ACTIVATION(false);

        private final boolean channelsLast;

        Setting(boolean channelsLast) {
            this.channelsLast = channelsLast;
        }

        Layer pooling(SubsamplingLayer.Builder builder) {
            return builder.build();
        }

        CNN2DFormat format() {
            return name().endsWith("CHANNELS_LAST") ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
        }

        MultiLayerConfiguration configuration() {
            CNN2DFormat format = format();
            return new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .updater(new Adam(1e-2))
                    .list()
                    .layer(new ConvolutionLayer.Builder(2, 2)
                            .nOut(19)
                            .dataFormat(format)
                            .activation(Activation.IDENTITY)
                            .build())
                    .layer(new ActivationLayer(this == OTHER_ACTIVATION ? Activation.ELU : Activation.RELU))
                    .layer(pooling(new SubsamplingLayer.Builder(PoolingType.MAX)
                            .kernelSize(2, 2)
                            .stride(2, 2)))
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
    void areTheSameLayers(Setting setting) {
        DataSet data = setting.data();
        requireSameLayers(
                setting.configuration(),
                StepPart.CONVOLUTION,
                data.getFeatures(),
                network -> LayerTesting.gradient(network, data));
    }

    @ParameterizedTest
    @EnumSource
    void keepTheLayout(Setting setting) {
        var network = network(Bf16Policy.SR.apply(setting.configuration()));
        INDArray images = setting.data().getFeatures();
        for (int i = 0; i < 3; i++) {
            images = network.getLayer(i).activate(images, true, LayerWorkspaceMgr.noWorkspaces());
        }
        assertEquals(setting.channelsLast, images.stride(setting.format() == CNN2DFormat.NHWC ? 3 : 1) == 1);
    }
}
