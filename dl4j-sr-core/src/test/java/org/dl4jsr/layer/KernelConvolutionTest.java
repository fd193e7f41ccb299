package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.bits;
import static org.dl4jsr.layer.LayerTesting.calls;
import static org.dl4jsr.layer.LayerTesting.distance;
import static org.dl4jsr.layer.LayerTesting.gradient;
import static org.dl4jsr.layer.LayerTesting.network;
import static org.dl4jsr.layer.LayerTesting.withoutKernels;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
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
        /** Whose derivative is had of the output. */
        RELU {
            @Override
            Layer layer(ConvolutionLayer.Builder builder) {
                return builder.activation(Activation.RELU).build();
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

        MultiLayerConfiguration configuration() {
            CNN2DFormat format = this == CHANNELS_LAST ? CNN2DFormat.NHWC : CNN2DFormat.NCHW;
            return new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .activation(Activation.TANH)
                    .updater(new Adam(1e-2))
                    .list()
                    .layer(layer(new ConvolutionLayer.Builder(3, 2).nOut(19)))
                    .layer(new ConvolutionLayer.Builder(2, 2)
                            .nOut(5)
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
            long[] shape =
                    this == CHANNELS_LAST ? new long[] {BATCH, SIZE, SIZE, 2} : new long[] {BATCH, 2, SIZE, SIZE};
            INDArray features = Nd4j.create(DataType.FLOAT, shape);
            for (int i = 0; i < features.length(); i++) {
                features.putScalar(i, 1 + Math.sin(i * i));
            }
            INDArray labels = Nd4j.zeros(DataType.FLOAT, BATCH, CLASSES);
            for (int b = 0; b < BATCH; b++) {
                labels.putScalar(b, b % CLASSES, 1);
            }
            return new DataSet(features, labels);
        }
    }

    @ParameterizedTest
    @EnumSource
    void isTheSameLayer(Setting setting) {
        MultiLayerConfiguration configuration = setting.configuration();
        var wide = network(Bf16Policy.FP32.apply(configuration));
        var onKernels = network(Bf16Policy.SR.apply(configuration));
        var withoutKernels = network(withoutKernels(Bf16Policy.SR.apply(configuration)));
        withoutKernels.setParams(onKernels.params());
        wide.setParams(onKernels.params().castTo(DataType.FLOAT));
        DataSet data = setting.data();

        INDArray exact = gradient(wide, data);
        INDArray fromKernels = gradient(onKernels, data);
        double noise = distance(gradient(withoutKernels, data), exact);
        double error = distance(fromKernels, exact);
        assertTrue(error < Math.max(0.01, 1.1 * noise), "gradient off by " + error + ", that of ops by " + noise);
        assertArrayEquals(bits(fromKernels), bits(gradient(onKernels, data)), "again");
        INDArray output = wide.output(data.getFeatures());
        assertEquals(0, distance(onKernels.output(data.getFeatures()), output), 0.005, "output");
        int ofFirst =
                switch (setting) {
                    case FROZEN -> 0;
                    case RELU, IDENTITY -> 2; // one forward pass, one backward
                    default -> 3;
                };
        assertEquals(3 + ofFirst, calls(StepPart.CONVOLUTION, () -> gradient(onKernels, data)));
        assertEquals(0, calls(StepPart.CONVOLUTION, () -> gradient(withoutKernels, data)));
    }
}
