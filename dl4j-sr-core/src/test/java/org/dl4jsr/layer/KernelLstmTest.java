package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.bits;
import static org.dl4jsr.layer.LayerTesting.network;
import static org.dl4jsr.layer.LayerTesting.requireSameLayers;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.dl4jsr.op.Lstm;
import org.dl4jsr.op.LstmSequence;
import org.dl4jsr.op.StepPart;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.policy.SafeRestore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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

/** DL4J's LSTM on kernels is the same layer, nearer to FLOAT. */
class KernelLstmTest {

    private static final int BATCH = 5;
    private static final int INPUTS = 6;
    private static final int WIDTH = 19;
    private static final int CLASSES = 3;
    private static final int TIME = 11;

    /** What an LSTM may meet, and whether its kernel runs then. */
    enum Setting {
        PLAIN(true),
        TIME_BEFORE_WIDTH(true) {
            @Override
            Layer layer(LSTM.Builder lstm) {
                return lstm.dataFormat(RNNFormat.NWC).build();
            }
        },
        TRUNCATED(true) {
            @Override
            void configure(MultiLayerConfiguration network) {
                network.setBackpropType(BackpropType.TruncatedBPTT);
                network.setTbpttFwdLength(4);
                network.setTbpttBackLength(4);
            }
        },
        NO_WORKSPACES(true) {
            @Override
            void configure(MultiLayerConfiguration network) {
                network.setTrainingWorkspaceMode(WorkspaceMode.NONE);
                network.setInferenceWorkspaceMode(WorkspaceMode.NONE);
            }
        },
        BIDIRECTIONAL(true) {
            @Override
            Layer layer(LSTM.Builder lstm) {
                return new Bidirectional(Bidirectional.Mode.ADD, lstm.build());
            }
        },
        DROPOUT(true) {
            @Override
            Layer layer(LSTM.Builder lstm) {
                return lstm.dropOut(new ShiftedInput()).build();
            }
        },
        MASKED(false),
        FROZEN(false) {
            @Override
            Layer layer(LSTM.Builder lstm) {
                return new FrozenLayer(lstm.build());
            }
        },
        OTHER_GATES(false) {
            @Override
            Layer layer(LSTM.Builder lstm) {
                return lstm.gateActivationFunction(Activation.HARDSIGMOID).build();
            }
        },
        OTHER_ACTIVATION(false) {
            @Override
            Layer layer(LSTM.Builder lstm) {
                return lstm.activation(Activation.SOFTSIGN).build();
            }
        };

        private final boolean onKernel;

        Setting(boolean onKernel) {
            this.onKernel = onKernel;
        }

        Layer layer(LSTM.Builder lstm) {
            return lstm.build();
        }

        void configure(MultiLayerConfiguration network) {
            // as it is
        }

        MultiLayerConfiguration configuration() {
            var format = this == TIME_BEFORE_WIDTH ? RNNFormat.NWC : RNNFormat.NCW;
            var network = new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .weightInit(WeightInit.XAVIER)
                    .activation(Activation.TANH)
                    .updater(new Adam(1e-2))
                    .list()
                    .layer(layer(new LSTM.Builder().nOut(WIDTH)))
                    .layer(layer(new LSTM.Builder().nOut(WIDTH)))
                    .layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(CLASSES)
                            .dataFormat(format)
                            .activation(Activation.SOFTMAX)
                            .build())
                    .setInputType(InputType.recurrent(INPUTS, TIME, format))
                    .build();
            configure(network);
            return network;
        }

        DataSet data() {
            INDArray features = Nd4j.create(DataType.FLOAT, BATCH, INPUTS, TIME);
            for (int i = 0; i < features.length(); i++) {
                features.putScalar(i, 2 * Math.sin(i * i));
            }
            INDArray labels = Nd4j.zeros(DataType.FLOAT, BATCH, CLASSES, TIME);
            for (int b = 0; b < BATCH; b++) {
                for (int t = 0; t < TIME; t++) {
                    labels.putScalar(b, (b + t) % CLASSES, t, 1);
                }
            }
            if (this == TIME_BEFORE_WIDTH) {
                return new DataSet(
                        features.permute(0, 2, 1).dup('c'),
                        labels.permute(0, 2, 1).dup('c'));
            }
            return new DataSet(features, labels);
        }
    }

    /** Gradients after the forward and the backward pass, and outputs, on the kernel and on DL4J's own code. */
    @ParameterizedTest
    @EnumSource
    void isTheSameLayer(Setting setting) {
        long calls = requireSameLayers(
                setting.configuration(),
                StepPart.RECURRENT,
                setting.data().getFeatures(),
                network -> gradient(network, setting));
        assertEquals(setting.onKernel, calls > 0);
    }

    @Test
    void carriesItsStateInFloat() {
        var network = network(Bf16Policy.SR.apply(Setting.PLAIN.configuration()));
        INDArray features = Setting.PLAIN.data().getFeatures();
        INDArray whole = network.output(features);
        for (int t = 0; t < TIME; t++) {
            INDArray step = network.rnnTimeStep(
                    features.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(t, t + 1)));
            INDArray expected = whole.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(t, t + 1));
            assertArrayEquals(bits(expected), bits(step));
        }
        assertEquals(
                DataType.FLOAT,
                network.rnnGetPreviousState(0)
                        .get(org.deeplearning4j.nn.layers.recurrent.LSTM.STATE_KEY_PREV_MEMCELL)
                        .dataType());
    }

    /** One forward pass and one backward a layer, also behind dropout. */
    @ParameterizedTest
    @EnumSource(names = {"PLAIN", "DROPOUT"})
    void doesNotRepeatTheForwardPass(Setting setting) {
        long calls = requireSameLayers(
                setting.configuration(),
                StepPart.RECURRENT,
                setting.data().getFeatures(),
                network -> gradient(network, setting));
        assertEquals(4, calls);
    }

    /** Which training has no use for. */
    @ParameterizedTest
    @EnumSource(names = {"PLAIN", "BIDIRECTIONAL"})
    void givesTheGradientOfItsInputToWhoeverAsks(Setting setting) {
        LayerTesting.requireGradientOfInput(setting.configuration(), setting.data());
    }

    /** A forward pass of other features, without a backward pass, leaves nothing behind that a later one might take. */
    @Test
    void aBackwardPassIsThatOfItsOwnForwardPass() {
        var network = network(Bf16Policy.SR.apply(Setting.PLAIN.configuration()));
        INDArray alone = gradient(network, Setting.PLAIN);
        network.feedForward(Setting.PLAIN.data().getFeatures().neg(), true);
        network.output(Setting.PLAIN.data().getFeatures().mul(2));
        assertArrayEquals(bits(alone), bits(gradient(network, Setting.PLAIN)));
    }

    @Test
    void survivesSavingAndGoesBackToStock(@TempDir Path directory) throws IOException {
        var network = network(Bf16Policy.SR.apply(Setting.PLAIN.configuration()));
        network.fit(Setting.PLAIN.data());
        Path file = directory.resolve("network.zip");
        network.save(file.toFile(), true);
        MultiLayerNetwork restored = SafeRestore.multiLayerNetwork(file, true);
        assertEquals(network.getLayerWiseConfigurations(), restored.getLayerWiseConfigurations());
        assertEquals(KernelLstm.class, restored.getLayer(0).conf().getLayer().getClass());
        assertArrayEquals(bits(gradient(network, Setting.PLAIN)), bits(gradient(restored, Setting.PLAIN)));
        MultiLayerNetwork stock = Bf16Policy.toStock(restored);
        assertEquals(LSTM.class, stock.getLayer(0).conf().getLayer().getClass());
        Layer wide = Bf16Policy.FP32
                .apply(network.getLayerWiseConfigurations())
                .getConf(0)
                .getLayer();
        assertEquals(LSTM.class, wide.getClass());
    }

    private static INDArray gradient(MultiLayerNetwork network, Setting setting) {
        network.rnnClearPreviousState();
        if (setting == Setting.MASKED) {
            INDArray mask = Nd4j.ones(DataType.FLOAT, BATCH, TIME);
            mask.get(NDArrayIndex.interval(0, 2), NDArrayIndex.interval(7, TIME))
                    .assign(0);
            network.getLayer(0).setMaskArray(mask);
            network.getLayer(1).setMaskArray(mask);
        }
        INDArray gradient = LayerTesting.gradient(network, setting.data());
        network.clearLayerMaskArrays();
        return gradient;
    }

    @Test
    void gatesOfFewTimeStepsTakeTurns() {
        INDArray complete = outputs(TIME, TIME + 1);
        INDArray inTurns = outputs(4, 1);
        assertEquals(0, complete.sub(inTurns).amaxNumber().doubleValue(), 0x1p-8);
    }

    /** Of one sequence set, and the last state of its cells below them. */
    private static INDArray outputs(int gates, int cells) {
        Nd4j.getRandom().setSeed(3);
        INDArray[] given = {
            Nd4j.randn(DataType.BFLOAT16, TIME, BATCH, INPUTS),
            Nd4j.randn(DataType.BFLOAT16, INPUTS, 4 * WIDTH).muli(0.3),
            Nd4j.randn(DataType.BFLOAT16, WIDTH, 4 * WIDTH).muli(0.3),
            Nd4j.randn(DataType.BFLOAT16, 1, 4 * WIDTH)
        };
        var sequence = new LstmSequence(
                given[0],
                given[1],
                given[2],
                given[3],
                Nd4j.create(DataType.FLOAT, gates, BATCH, 4 * WIDTH),
                Nd4j.create(DataType.FLOAT, cells, BATCH, WIDTH),
                Nd4j.create(DataType.BFLOAT16, TIME + 1, BATCH, WIDTH));
        Nd4j.exec(new Lstm(sequence));
        return Nd4j.concat(
                0,
                sequence.outputs().castTo(DataType.FLOAT),
                sequence.cells().get(NDArrayIndex.interval(cells - 1, cells)));
    }
}
