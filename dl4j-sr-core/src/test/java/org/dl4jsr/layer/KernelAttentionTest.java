package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.requireSameLayers;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
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

/** DL4J's layers of attention on kernels are the same layers. */
class KernelAttentionTest {

    private static final int BATCH = 5;
    private static final int INPUTS = 7;
    private static final int TIME = 6;
    private static final int CLASSES = 3;

    /** What the layers may meet, and whether their kernels run then. */
    enum Setting {
        SELF(true, () -> self().build()),
        SELF_WITH_HEADS_OF_ANY_WIDTH(true, () -> self().headSize(5).build()),
        SELF_NOT_PROJECTED(true, () -> self().nIn(INPUTS)
                .nOut(INPUTS)
                .nHeads(1)
                .projectInput(false)
                .build()),
        SELF_MASKED(true, () -> self().build()),
        SELF_HIDDEN(false, () -> self().build()),
        SELF_HALF_MASKED(false, () -> self().build()),
        SELF_CHANGED(true, () -> self().build()),
        SELF_NOT_PROJECTED_CHANGED(true, SELF_NOT_PROJECTED.layer),
        SELF_WITHOUT_WORKSPACES(true, () -> self().build()),
        SELF_FROZEN(false, () -> new FrozenLayer(self().build())),
        RECURRENT(true, () -> recurrent().build()),
        RECURRENT_NOT_PROJECTED(true, () -> recurrent()
                .nIn(INPUTS)
                .nOut(INPUTS)
                .nHeads(1)
                .projectInput(false)
                .build()),
        RECURRENT_WITHOUT_BIAS(true, () -> recurrent().hasBias(false).build()),
        RECURRENT_RELU(true, () -> recurrent().activation(Activation.RELU).build()),
        RECURRENT_SIGMOID(true, () -> recurrent().activation(Activation.SIGMOID).build()),
        RECURRENT_IDENTITY(
                true, () -> recurrent().activation(Activation.IDENTITY).build()),
        RECURRENT_SOFTSIGN(
                false, () -> recurrent().activation(Activation.SOFTSIGN).build()),
        RECURRENT_MASKED(true, () -> recurrent().build()),
        RECURRENT_HIDDEN(false, () -> recurrent().build()),
        RECURRENT_CHANGED(true, () -> recurrent().build()),
        RECURRENT_WITHOUT_WORKSPACES(true, () -> recurrent().build()),
        RECURRENT_OF_ONE(true, () -> recurrent().build()),
        RECURRENT_FROZEN(false, () -> new FrozenLayer(recurrent().build()));

        private final boolean onKernels;
        private final Supplier<Layer> layer;

        Setting(boolean onKernels, Supplier<Layer> layer) {
            this.onKernels = onKernels;
            this.layer = layer;
        }

        private static SelfAttentionLayer.Builder self() {
            return new SelfAttentionLayer.Builder().nOut(8).nHeads(2).projectInput(true);
        }

        private static RecurrentAttentionLayer.Builder recurrent() {
            return new RecurrentAttentionLayer.Builder().nOut(8).nHeads(2);
        }

        /** Attentions of a forward pass. */
        private int attentions() {
            return name().startsWith("SELF") ? 1 : TIME - 1;
        }

        /** The layer behind an LSTM, which wants the gradient of its output, and before one that may change its input. */
        MultiLayerConfiguration configuration() {
            return configuration(new LSTM.Builder().nOut(INPUTS).build(), layer.get());
        }

        MultiLayerConfiguration configuration(Layer... first) {
            WorkspaceMode workspaces =
                    name().endsWith("WITHOUT_WORKSPACES") ? WorkspaceMode.NONE : WorkspaceMode.ENABLED;
            var list = new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .updater(new Adam(1e-2))
                    .trainingWorkspaceMode(workspaces)
                    .inferenceWorkspaceMode(workspaces)
                    .list();
            for (Layer layer : first) {
                list.layer(layer);
            }
            var between = new ActivationLayer.Builder().activation(Activation.TANH);
            if (name().endsWith("CHANGED")) {
                between.dropOut(new ShiftedInput());
            }
            return list.layer(between.build())
                    .layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(CLASSES)
                            .activation(Activation.SOFTMAX)
                            .build())
                    .setInputType(InputType.recurrent(INPUTS, TIME))
                    .build();
        }

        private int batch() {
            return name().endsWith("OF_ONE") ? 1 : BATCH;
        }

        DataSet data() {
            INDArray features = Nd4j.create(DataType.FLOAT, batch(), INPUTS, TIME);
            for (int i = 0; i < features.length(); i++) {
                features.putScalar(i, Math.sin(i * i + 1));
            }
            INDArray labels = Nd4j.create(DataType.FLOAT, batch(), CLASSES, TIME);
            for (int b = 0; b < batch(); b++) {
                for (int t = 0; t < TIME; t++) {
                    labels.putScalar(b, (b + t) % CLASSES, t, 1);
                }
            }
            return new DataSet(features, labels);
        }

        /** Of the network's features, or null. */
        private INDArray mask() {
            double hidden = name().endsWith("HALF_MASKED") ? 0.5 : 0;
            int seen = name().endsWith("HIDDEN") ? 0 : 2;
            if (!name().endsWith("MASKED") && seen > 0) {
                return null;
            }
            INDArray mask = Nd4j.ones(DataType.FLOAT, BATCH, TIME);
            mask.get(NDArrayIndex.point(1), NDArrayIndex.interval(seen, TIME)).assign(hidden);
            return mask;
        }

        INDArray gradient(MultiLayerNetwork network) {
            INDArray mask = mask();
            if (mask != null) {
                network.getLayer(network.getnLayers() - 3).setMaskArray(mask);
            }
            return LayerTesting.gradient(network, data());
        }
    }

    @ParameterizedTest
    @EnumSource
    void isTheSameLayer(Setting setting) {
        long calls = requireSameLayers(
                setting.configuration(),
                StepPart.ATTENTION_FORWARD,
                setting.data().getFeatures(),
                setting::gradient);
        assertEquals(setting.onKernels ? setting.attentions() : 0, calls);
    }

    /** As the network's first layer, whose input's gradient training does not compute. */
    @ParameterizedTest
    @EnumSource(names = {"SELF", "RECURRENT"})
    void givesTheGradientOfItsInputToWhoeverAsks(Setting setting) {
        LayerTesting.requireGradientOfInput(setting.configuration(setting.layer.get()), setting.data());
    }
}
