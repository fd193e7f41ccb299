package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.requireSameLayers;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.dl4jsr.op.StepPart;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** DL4J's batch normalization on kernels is the same layer, nearer to FLOAT. */
class KernelBatchNormalizationTest {

    private static final int BATCH = 6;
    private static final int SIZE = 7;
    private static final int CLASSES = 3;

    /** What the layer may meet, and whether its kernels run then. */
    enum Setting {
        IMAGES(true),
        CHANNELS_LAST(true),
        VECTORS(true),
        LOCKED(false) {
            @Override
            Layer layer(BatchNormalization.Builder builder) {
                return builder.lockGammaBeta(true).gamma(0.5).beta(0.25).build();
            }
        },
        /** The forward pass; stock DL4J fails at this with workspaces. */
        FROZEN(true) {
            @Override
            Layer layer(BatchNormalization.Builder builder) {
                return new FrozenLayerWithBackprop(builder.build());
            }
        },
        FROZEN_WITHOUT_GRADIENT(false) {
            @Override
            Layer layer(BatchNormalization.Builder builder) {
                return new FrozenLayer(builder.build());
            }
        };

        private final boolean onKernels;

        Setting(boolean onKernels) {
            this.onKernels = onKernels;
        }

        Layer layer(BatchNormalization.Builder builder) {
            return builder.build();
        }

        MultiLayerConfiguration configuration() {
            CNN2DFormat format = this == CHANNELS_LAST ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
            Layer first = this == VECTORS
                    ? new DenseLayer.Builder()
                            .nOut(19)
                            .activation(Activation.IDENTITY)
                            .build()
                    : new ConvolutionLayer.Builder(3, 3)
                            .nOut(19)
                            .dataFormat(format)
                            .activation(Activation.IDENTITY)
                            .build();
            WorkspaceMode mode = this == FROZEN ? WorkspaceMode.NONE : WorkspaceMode.ENABLED;
            return new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .trainingWorkspaceMode(mode)
                    .inferenceWorkspaceMode(mode)
                    .updater(new Adam(1e-2))
                    .list()
                    .layer(first)
                    .layer(layer(new BatchNormalization.Builder().useLogStd(false)))
                    .layer(new ActivationLayer(Activation.TANH))
                    .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(CLASSES)
                            .activation(Activation.SOFTMAX)
                            .build())
                    .setInputType(
                            this == VECTORS
                                    ? InputType.feedForward(SIZE)
                                    : InputType.convolutional(SIZE, SIZE, 2, format))
                    .build();
        }

        DataSet data() {
            long[] shape = this == VECTORS
                    ? new long[] {BATCH, SIZE}
                    : this == CHANNELS_LAST ? new long[] {BATCH, SIZE, SIZE, 2} : new long[] {BATCH, 2, SIZE, SIZE};
            return LayerTesting.data(CLASSES, shape);
        }
    }

    @ParameterizedTest
    @EnumSource
    void isTheSameLayer(Setting setting) {
        DataSet data = setting.data();
        long calls = requireSameLayers(
                setting.configuration(),
                StepPart.NORM,
                data.getFeatures(),
                network -> LayerTesting.gradient(network, data));
        assertEquals(setting.onKernels, calls > 0);
    }
}
