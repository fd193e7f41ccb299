package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.requireSameLayers;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
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

/** DL4J's global pooling on kernels is the same layer. */
class KernelGlobalPoolingTest {

    private static final int BATCH = 6;
    private static final int SIZE = 9;
    private static final int CLASSES = 3;

    /** What the layer may meet, and whether its kernels run then. */
    enum Setting {
        SEQUENCES_MAX(true, PoolingType.MAX),
        SEQUENCES_AVERAGE(true, PoolingType.AVG),
        SEQUENCES_SUM(false, PoolingType.SUM),
        SEQUENCES_P_NORM(false, PoolingType.PNORM),
        SEQUENCES_MASKED(false, PoolingType.AVG),
        SEQUENCES_FROZEN(false, PoolingType.MAX) {
            @Override
            Layer layer(GlobalPoolingLayer.Builder builder) {
                return new FrozenLayer(builder.build());
            }
        },
        IMAGES_MAX(true, PoolingType.MAX),
        IMAGES_AVERAGE(true, PoolingType.AVG),
        IMAGES_NOT_COLLAPSED(false, PoolingType.AVG) {
            @Override
            Layer layer(GlobalPoolingLayer.Builder builder) {
                return builder.collapseDimensions(false).build();
            }
        },
        IMAGES_MAX_CHANNELS_LAST(true, PoolingType.MAX),
        IMAGES_AVERAGE_CHANNELS_LAST(true, PoolingType.AVG);

        private final boolean onKernels;
        private final PoolingType type;

        Setting(boolean onKernels, PoolingType type) {
            this.onKernels = onKernels;
            this.type = type;
        }

        Layer layer(GlobalPoolingLayer.Builder builder) {
            return builder.build();
        }

        private CNN2DFormat format() {
            return name().endsWith("CHANNELS_LAST") ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
        }

        private boolean isOfSequences() {
            return name().startsWith("SEQUENCES");
        }

        private Layer first() {
            return isOfSequences()
                    ? new Convolution1DLayer.Builder()
                            .kernelSize(2)
                            .nOut(19)
                            .activation(Activation.IDENTITY)
                            .build()
                    : new ConvolutionLayer.Builder(2, 3)
                            .nOut(19)
                            .dataFormat(format())
                            .activation(Activation.IDENTITY)
                            .build();
        }

        MultiLayerConfiguration configuration() {
            return new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .updater(new Adam(1e-2))
                    .list()
                    .layer(first())
                    .layer(new ActivationLayer(Activation.TANH))
                    .layer(layer(new GlobalPoolingLayer.Builder(type).pnorm(3)))
                    .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(CLASSES)
                            .activation(Activation.SOFTMAX)
                            .build())
                    .setInputType(
                            isOfSequences()
                                    ? InputType.recurrent(2, SIZE)
                                    : InputType.convolutional(SIZE, SIZE, 2, format()))
                    .build();
        }

        DataSet data() {
            long[] images = format() == CNN2DFormat.NHWC
                    ? new long[] {BATCH, SIZE, SIZE, 2}
                    : new long[] {BATCH, 2, SIZE, SIZE};
            return LayerTesting.data(CLASSES, isOfSequences() ? new long[] {BATCH, 2, SIZE} : images);
        }

        INDArray gradient(MultiLayerNetwork network) {
            if (this == SEQUENCES_MASKED) {
                INDArray mask = Nd4j.ones(DataType.FLOAT, BATCH, SIZE - 1);
                mask.get(NDArrayIndex.point(1), NDArrayIndex.interval(4, SIZE - 1))
                        .assign(0);
                network.getLayer(2).setMaskArray(mask);
            }
            return LayerTesting.gradient(network, data());
        }
    }

    @ParameterizedTest
    @EnumSource
    void isTheSameLayer(Setting setting) {
        long calls = requireSameLayers(
                setting.configuration(), StepPart.POOLING, setting.data().getFeatures(), setting::gradient);
        assertEquals(setting.onKernels ? 2 : 0, calls);
    }
}
