package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.network;
import static org.dl4jsr.layer.LayerTesting.requireSameLayers;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.StepPart;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Test;
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

/** DL4J's dense and output layers on kernels are the same layers. */
class KernelDenseTest {

    private static final int BATCH = 6;
    private static final int INPUTS = 7;
    private static final int WIDTH = 19;
    private static final int CLASSES = 3;

    /** What the layer may meet, and how often the products of the first layer, the second and the output run then. */
    enum Setting {
        RELU(3),
        IDENTITY(3) {
            @Override
            Layer layer(DenseLayer.Builder builder) {
                return builder.activation(Activation.IDENTITY).build();
            }
        },
        TANH(3) {
            @Override
            Layer layer(DenseLayer.Builder builder) {
                return builder.activation(Activation.TANH).build();
            }
        },
        SOFTMAX(3) {
            @Override
            Layer layer(DenseLayer.Builder builder) {
                return builder.activation(Activation.SOFTMAX).build();
            }
        },
        LEAKY(3) {
            @Override
            Layer layer(DenseLayer.Builder builder) {
                return builder.activation(new ActivationReLU(null, 0.1, 0.2)).build();
            }
        },
        WITHOUT_BIAS(3) {
            @Override
            Layer layer(DenseLayer.Builder builder) {
                return builder.hasBias(false).build();
            }
        },
        LAYER_NORM(2) {
            @Override
            Layer layer(DenseLayer.Builder builder) {
                return builder.hasLayerNorm(true).build();
            }
        },
        /** Of its inputs, and those of the layer behind it, which change what it has returned. */
        DROPOUT(3) {
            @Override
            Layer layer(DenseLayer.Builder builder) {
                return builder.dropOut(new ShiftedInput()).build();
            }
        },
        WEIGHT_NOISE(3) {
            @Override
            Layer layer(DenseLayer.Builder builder) {
                return builder.weightNoise(new Halving()).build();
            }
        },
        MASKED(3),
        NO_WORKSPACES(3),
        FROZEN(2) {
            @Override
            Layer layer(DenseLayer.Builder builder) {
                return new FrozenLayer(builder.build());
            }
        },
        /** Stock DL4J fails at this with workspaces. */
        FROZEN_WITH_GRADIENT(3) {
            @Override
            Layer layer(DenseLayer.Builder builder) {
                return new FrozenLayerWithBackprop(builder.build());
            }
        };

        private final int products;

        Setting(int products) {
            this.products = products;
        }

        Layer layer(DenseLayer.Builder builder) {
            return builder.build();
        }

        MultiLayerConfiguration configuration() {
            WorkspaceMode mode =
                    this == NO_WORKSPACES || this == FROZEN_WITH_GRADIENT ? WorkspaceMode.NONE : WorkspaceMode.ENABLED;
            return new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .trainingWorkspaceMode(mode)
                    .inferenceWorkspaceMode(mode)
                    .activation(Activation.RELU)
                    .updater(new Adam(1e-2))
                    .list()
                    .layer(layer(new DenseLayer.Builder().nOut(WIDTH)))
                    .layer(new DenseLayer.Builder()
                            .nOut(5)
                            .dropOut(this == DROPOUT ? new ShiftedInput() : null)
                            .activation(Activation.TANH)
                            .build())
                    .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(CLASSES)
                            .dropOut(this == DROPOUT ? new ShiftedInput() : null)
                            .activation(Activation.SOFTMAX)
                            .build())
                    .setInputType(InputType.feedForward(INPUTS))
                    .build();
        }

        DataSet data() {
            return LayerTesting.data(CLASSES, BATCH, INPUTS);
        }

        INDArray gradient(MultiLayerNetwork network, DataSet data) {
            if (this == MASKED) {
                INDArray mask = Nd4j.ones(DataType.FLOAT, BATCH, 1).putScalar(2, 0);
                network.setLayerMaskArrays(mask, mask);
                network.feedForwardMaskArray(mask, MaskState.Active, BATCH);
            }
            return LayerTesting.gradient(network, data);
        }
    }

    /** In place of noise, the same each time. */
    static final class Halving implements IWeightNoise {
        @Override
        public INDArray getParameter(
                org.deeplearning4j.nn.api.Layer layer,
                String key,
                int iteration,
                int epoch,
                boolean train,
                LayerWorkspaceMgr workspaceMgr) {
            INDArray parameter = layer.getParam(key);
            return train ? parameter.mul(0.5) : parameter;
        }

        @Override
        public IWeightNoise clone() {
            return new Halving();
        }
    }

    @ParameterizedTest
    @EnumSource
    void isTheSameLayer(Setting setting) {
        DataSet data = setting.data();
        long calls = requireSameLayers(
                setting.configuration(),
                StepPart.GEMM_FORWARD,
                data.getFeatures(),
                network -> setting.gradient(network, data));
        assertEquals(setting.products, calls);
    }

    @Test
    void itsOutputsComeFromTheProductsToo() {
        var network = network(Bf16Policy.SR.apply(Setting.RELU.configuration()));
        INDArray features = Setting.RELU.data().getFeatures();
        assertEquals(3, LayerTesting.calls(StepPart.GEMM_FORWARD, () -> network.output(features)));
    }

    /** Which training has no use for. */
    @Test
    void givesTheGradientOfItsInputToWhoeverAsks() {
        LayerTesting.requireGradientOfInput(Setting.RELU.configuration(), Setting.RELU.data());
    }

    /** Its product is kept for the score, but no longer than the parameters are the same. */
    @Test
    void scoresWithTheParametersOfTheMoment() {
        var network = network(Bf16Policy.SR.apply(Setting.RELU.configuration()));
        DataSet data = Setting.RELU.data();
        LayerTesting.gradient(network, data);
        double before = network.score();
        assertEquals(network.score(data, true), before, 1e-6 * before);
        LayerTesting.inputGradient(network, data); // without a score behind it
        network.params().muli(0);
        assertEquals(Math.log(CLASSES), network.score(data, true), 1e-5);
    }
}
