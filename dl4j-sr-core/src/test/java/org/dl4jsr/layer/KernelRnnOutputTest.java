package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.network;
import static org.dl4jsr.layer.LayerTesting.requireSameLayers;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.op.StepPart;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Test;
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

/** DL4J's output layer of sequences on kernels is the same layer. */
class KernelRnnOutputTest {

    private static final int INPUTS = 6;
    private static final int CLASSES = 3;

    /** What the layer may meet, and whether its kernels run then. */
    enum Setting {
        PLAIN(true),
        ONE_SEQUENCE(true),
        ONE_STEP(true),
        TIME_BEFORE_WIDTH(true),
        MASKED(true),
        DROPOUT(false);

        private final boolean onKernels;

        Setting(boolean onKernels) {
            this.onKernels = onKernels;
        }

        private int batch() {
            return this == ONE_SEQUENCE ? 1 : 5;
        }

        private int time() {
            return this == ONE_STEP ? 1 : 11;
        }

        private RNNFormat format() {
            return this == TIME_BEFORE_WIDTH ? RNNFormat.NWC : RNNFormat.NCW;
        }

        MultiLayerConfiguration configuration() {
            return new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .updater(new Adam(1e-2))
                    .list()
                    .layer(new LSTM.Builder()
                            .nOut(19)
                            .activation(Activation.TANH)
                            .build())
                    .layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(CLASSES)
                            .dropOut(this == DROPOUT ? new ShiftedInput() : null)
                            .dataFormat(format())
                            .activation(Activation.SOFTMAX)
                            .build())
                    .setInputType(InputType.recurrent(INPUTS, time(), format()))
                    .build();
        }

        DataSet data() {
            boolean widthFirst = format() == RNNFormat.NCW;
            long[] shape = widthFirst ? new long[] {batch(), INPUTS, time()} : new long[] {batch(), time(), INPUTS};
            INDArray labels = Nd4j.zeros(DataType.FLOAT, batch(), CLASSES, time());
            for (int i = 0; i < batch() * time(); i++) {
                labels.putScalar(new int[] {i / time(), i * i % CLASSES, i % time()}, 1);
            }
            return new DataSet(
                    LayerTesting.data(CLASSES, shape).getFeatures(), widthFirst ? labels : labels.permute(0, 2, 1));
        }

        INDArray gradient(MultiLayerNetwork network, DataSet data) {
            if (this == MASKED) {
                INDArray mask = Nd4j.ones(DataType.FLOAT, batch(), time());
                mask.get(NDArrayIndex.point(1), NDArrayIndex.interval(7, time()))
                        .assign(0);
                network.setLayerMaskArrays(mask, mask);
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
                StepPart.GEMM_FORWARD,
                data.getFeatures(),
                network -> setting.gradient(network, data));
        assertEquals(setting.onKernels ? 1 : 0, calls);
    }

    @Test
    void itsOutputsComeFromTheProductUnlessThereIsAMask() {
        var network = network(Bf16Policy.SR.apply(Setting.MASKED.configuration()));
        DataSet data = Setting.MASKED.data();
        assertEquals(1, LayerTesting.calls(StepPart.GEMM_FORWARD, () -> network.output(data.getFeatures())));
        Setting.MASKED.gradient(network, data); // which sets the mask
        assertEquals(0, LayerTesting.calls(StepPart.GEMM_FORWARD, () -> network.output(data.getFeatures())));
    }

    /** From the product that the backward pass has kept. */
    @Test
    void scoresAsWithoutIt() {
        var network = network(Bf16Policy.SR.apply(Setting.PLAIN.configuration()));
        DataSet data = Setting.PLAIN.data();
        LayerTesting.gradient(network, data);
        double score = network.score();
        assertEquals(network.score(data, true), score, 1e-3 * score);
    }
}
