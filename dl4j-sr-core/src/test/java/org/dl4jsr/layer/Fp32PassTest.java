package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.bits;
import static org.dl4jsr.layer.LayerTesting.network;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.dropout.GaussianDropout;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.policy.SafeRestore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Recurrent layers in FP32 are DL4J's, but for one rounding of what comes in and goes out. */
@SuppressWarnings("deprecation") // GravesLSTM, GravesBidirectionalLSTM
class Fp32PassTest {

    private static final int BATCH = 3;
    private static final int INPUTS = 6;
    private static final int WIDTH = 7;
    private static final int CLASSES = 3;
    private static final int TIME = 9;

    /** Layers, and what they may meet. */
    enum Setting {
        GRAVES_LSTM,
        GRAVES_LSTM_MASKED,
        GRAVES_LSTM_TRUNCATED {
            @Override
            void configure(MultiLayerConfiguration network) {
                truncate(network);
            }
        },
        GRAVES_LSTM_OTHER_GATES {
            @Override
            Layer layer() {
                return new GravesLSTM.Builder()
                        .nOut(WIDTH)
                        .gateActivationFunction(Activation.HARDSIGMOID)
                        .activation(Activation.SOFTSIGN)
                        .build();
            }
        },
        GRAVES_BIDIRECTIONAL_LSTM {
            @Override
            Layer layer() {
                return new GravesBidirectionalLSTM.Builder().nOut(WIDTH).build();
            }
        },
        LSTM_MASKED {
            @Override
            Layer layer() {
                return new LSTM.Builder().nOut(WIDTH).build();
            }
        },
        LSTM_OTHER_ACTIVATION_TRUNCATED {
            @Override
            Layer layer() {
                return new LSTM.Builder()
                        .nOut(WIDTH)
                        .activation(Activation.SOFTSIGN)
                        .build();
            }

            @Override
            void configure(MultiLayerConfiguration network) {
                truncate(network);
            }
        },
        SIMPLE_RNN {
            @Override
            Layer layer() {
                return simpleRnn().build();
            }
        },
        SIMPLE_RNN_MASKED {
            @Override
            Layer layer() {
                return new Bidirectional(Bidirectional.Mode.ADD, simpleRnn().build());
            }
        },
        SIMPLE_RNN_TIME_BEFORE_WIDTH {
            @Override
            Layer layer() {
                return simpleRnn().dataFormat(RNNFormat.NWC).build();
            }
        },
        SIMPLE_RNN_TRUNCATED {
            @Override
            Layer layer() {
                return simpleRnn().build();
            }

            @Override
            void configure(MultiLayerConfiguration network) {
                truncate(network);
            }
        },
        DROPOUT {
            @Override
            Layer layer() {
                return simpleRnn().dropOut(new GaussianDropout(0.2)).build();
            }
        },
        WEIGHT_NOISE {
            @Override
            Layer layer() {
                return new GravesLSTM.Builder()
                        .nOut(WIDTH)
                        .weightNoise(new DropConnect(0.8))
                        .build();
            }
        },
        NO_WORKSPACES {
            @Override
            void configure(MultiLayerConfiguration network) {
                network.setTrainingWorkspaceMode(WorkspaceMode.NONE);
                network.setInferenceWorkspaceMode(WorkspaceMode.NONE);
            }
        };

        private static SimpleRnn.Builder simpleRnn() {
            return new SimpleRnn.Builder().nOut(WIDTH);
        }

        private static void truncate(MultiLayerConfiguration network) {
            network.setBackpropType(BackpropType.TruncatedBPTT);
            network.setTbpttFwdLength(4);
            network.setTbpttBackLength(3);
        }

        Layer layer() {
            return new GravesLSTM.Builder().nOut(WIDTH).build();
        }

        void configure(MultiLayerConfiguration network) {
            // as it is
        }

        private RNNFormat format() {
            return name().endsWith("TIME_BEFORE_WIDTH") ? RNNFormat.NWC : RNNFormat.NCW;
        }

        MultiLayerConfiguration configuration() {
            var network = new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .weightInit(WeightInit.XAVIER)
                    .activation(Activation.TANH)
                    .updater(new Sgd(2))
                    .list()
                    .layer(layer())
                    .layer(layer())
                    .layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(CLASSES)
                            .dataFormat(format())
                            .activation(Activation.SOFTMAX)
                            .build())
                    .setInputType(InputType.recurrent(INPUTS, TIME, format()))
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
            if (format() == RNNFormat.NWC) {
                features = features.permute(0, 2, 1).dup('c');
                labels = labels.permute(0, 2, 1).dup('c');
            }
            var data = new DataSet(features, labels);
            if (name().contains("MASKED")) {
                INDArray mask = Nd4j.ones(DataType.FLOAT, BATCH, TIME);
                mask.get(NDArrayIndex.interval(0, 2), NDArrayIndex.interval(6, TIME))
                        .assign(0);
                data.setFeaturesMaskArray(mask);
                data.setLabelsMaskArray(mask);
            }
            return data;
        }
    }

    @ParameterizedTest
    @EnumSource
    void isTheSameLayer(Setting setting) {
        var wide = network(Bf16Policy.FP32.apply(setting.configuration()));
        var bf16 = network(Bf16Policy.SR.apply(setting.configuration()));
        wide.setParams(bf16.params().castTo(DataType.FLOAT));
        DataSet data = setting.data();
        assertClose(wide.output(data.getFeatures()), bf16.output(data.getFeatures()), 0.005);
        assertClose(gradient(wide, data), gradient(bf16, data), 0.03);
        INDArray before = wide.params().dup();
        fit(wide, data);
        fit(bf16, data);
        INDArray after = bf16.params().castTo(DataType.FLOAT);
        assertClose(wide.params().sub(before), after.sub(before), 0.2); // weights are rounded
        bf16.getLayer(0).paramTable().values().forEach(p -> assertEquals(DataType.BFLOAT16, p.dataType()));
    }

    private static void assertClose(INDArray expected, INDArray actual, double tolerance) {
        double distance = actual.castTo(DataType.FLOAT).distance2(expected);
        assertEquals(0, distance / expected.norm2Number().doubleValue(), tolerance);
    }

    /** Truncates, where a gradient alone does not. */
    private static void fit(MultiLayerNetwork network, DataSet data) {
        Nd4j.getRandom().setSeed(7);
        network.fit(data);
    }

    private static INDArray gradient(MultiLayerNetwork network, DataSet data) {
        Nd4j.getRandom().setSeed(7);
        network.rnnClearPreviousState();
        network.setLayerMaskArrays(data.getFeaturesMaskArray(), data.getLabelsMaskArray());
        INDArray gradient = LayerTesting.gradient(network, data);
        network.clearLayerMaskArrays();
        return gradient;
    }

    @ParameterizedTest
    @EnumSource(names = {"GRAVES_LSTM", "SIMPLE_RNN", "LSTM_OTHER_ACTIVATION_TRUNCATED"})
    void carriesItsStateInFloat(Setting setting) {
        var network = network(Bf16Policy.SR.apply(setting.configuration()));
        INDArray features = setting.data().getFeatures();
        INDArray whole = network.output(features);
        for (int t = 0; t < TIME; t++) {
            INDArray step = network.rnnTimeStep(
                    features.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(t, t + 1)));
            INDArray expected = whole.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(t, t + 1));
            assertArrayEquals(bits(expected), bits(step));
        }
        network.rnnGetPreviousState(0).values().forEach(state -> assertEquals(DataType.FLOAT, state.dataType()));
    }

    /** As a kernel, or a program, leaves it. */
    @ParameterizedTest
    @EnumSource(names = {"GRAVES_LSTM", "SIMPLE_RNN"})
    void takesAStateInBf16(Setting setting) {
        var network = network(Bf16Policy.SR.apply(setting.configuration()));
        INDArray features = setting.data().getFeatures();
        network.rnnTimeStep(features);
        var states = network.rnnGetPreviousState(0);
        INDArray expected = network.rnnTimeStep(features);
        states.replaceAll((key, state) -> state.castTo(DataType.BFLOAT16));
        network.rnnClearPreviousState();
        network.rnnTimeStep(features);
        network.rnnSetPreviousState(0, states);
        assertClose(expected, network.rnnTimeStep(features), 0.005);
    }

    /** The second begins before the first has ended, and ends after it. */
    @Test
    @Timeout(60)
    void keepsItsParametersWhereTwoThreadsRun() throws InterruptedException {
        var layer = (BaseLayer<?>)
                network(Bf16Policy.SR.apply(Setting.SIMPLE_RNN.configuration())).getLayer(0);
        var workspaces = LayerWorkspaceMgr.noWorkspaces();
        INDArray output = Nd4j.zeros(DataType.FLOAT, 1);
        var secondHasBegun = new CountDownLatch(1);
        var firstHasEnded = new CountDownLatch(1);
        var second = new Thread(() -> Fp32Pass.forward(layer, false, workspaces, () -> {
            secondHasBegun.countDown();
            assertDoesNotThrow(() -> firstHasEnded.await());
            return output;
        }));
        Fp32Pass.forward(layer, false, workspaces, () -> {
            second.start();
            while (secondHasBegun.getCount() > 0 && second.getState() != Thread.State.BLOCKED) {
                Thread.onSpinWait();
            }
            return output;
        });
        firstHasEnded.countDown();
        second.join();
        layer.paramTable().values().forEach(p -> assertEquals(DataType.BFLOAT16, p.dataType()));
    }

    @ParameterizedTest
    @EnumSource(names = {"GRAVES_LSTM", "GRAVES_BIDIRECTIONAL_LSTM", "SIMPLE_RNN"})
    void survivesSavingAndGoesBackToStock(Setting setting, @TempDir Path directory) throws IOException {
        DataSet data = setting.data();
        var network = network(Bf16Policy.SR.apply(setting.configuration()));
        network.fit(data);
        Path file = directory.resolve("network.zip");
        network.save(file.toFile(), true);
        MultiLayerNetwork restored = SafeRestore.multiLayerNetwork(file, true);
        assertEquals(network.getLayerWiseConfigurations(), restored.getLayerWiseConfigurations());
        assertArrayEquals(bits(gradient(network, data)), bits(gradient(restored, data)));
        Class<?> stock = setting.layer().getClass();
        assertNotEquals(stock, restored.getLayer(0).conf().getLayer().getClass());
        assertEquals(
                stock,
                Bf16Policy.toStock(restored).getLayer(0).conf().getLayer().getClass());
    }
}
