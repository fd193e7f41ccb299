package org.dl4jsr.layer;

import static org.dl4jsr.layer.LayerTesting.requireSameLayers;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
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

/** DL4J's embedding of sequences on kernels is the same layer. */
class KernelEmbeddingSequenceTest {

    private static final int BATCH = 6;
    private static final int TIME = 11;
    private static final int TOKENS = 300;
    private static final int CLASSES = 3;

    /** What the layer may meet, and whether its kernel runs then. */
    enum Setting {
        PLAIN(true),
        OTHER_SHAPE(true),
        TIME_BEFORE_WIDTH(true) {
            @Override
            Layer layer(EmbeddingSequenceLayer.Builder builder) {
                return builder.outputDataFormat(RNNFormat.NWC).build();
            }
        },
        OUTPUT_EACH_STEP(true),
        WITH_BIAS(true) {
            @Override
            Layer layer(EmbeddingSequenceLayer.Builder builder) {
                return builder.hasBias(true).build();
            }
        },
        ACTIVATION(false) {
            @Override
            Layer layer(EmbeddingSequenceLayer.Builder builder) {
                return builder.activation(Activation.TANH).build();
            }
        },
        MASKED(false),
        FROZEN(false) {
            @Override
            Layer layer(EmbeddingSequenceLayer.Builder builder) {
                return new FrozenLayer(builder.build());
            }
        };

        private final boolean onKernel;

        Setting(boolean onKernel) {
            this.onKernel = onKernel;
        }

        Layer layer(EmbeddingSequenceLayer.Builder builder) {
            return builder.build();
        }

        MultiLayerConfiguration configuration() {
            var layers = new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .updater(new Adam(1e-2))
                    .list()
                    .layer(layer(new EmbeddingSequenceLayer.Builder()
                            .nIn(TOKENS)
                            .nOut(19)
                            .inputLength(TIME)));
            return (isOfSteps()
                            ? layers.layer(new RnnOutputLayer.Builder(LossFunction.MCXENT)
                                    .nOut(CLASSES)
                                    .dataFormat(this == TIME_BEFORE_WIDTH ? RNNFormat.NWC : RNNFormat.NCW)
                                    .activation(Activation.SOFTMAX)
                                    .build())
                            : layers.layer(new GlobalPoolingLayer(PoolingType.AVG))
                                    .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                                            .nOut(CLASSES)
                                            .activation(Activation.SOFTMAX)
                                            .build()))
                    .setInputType(InputType.recurrent(TOKENS))
                    .build();
        }

        private boolean isOfSteps() {
            return this == TIME_BEFORE_WIDTH // which global pooling does not take
                    || this == OUTPUT_EACH_STEP;
        }

        DataSet data() {
            INDArray tokens = this == OTHER_SHAPE
                    ? Nd4j.create(DataType.FLOAT, BATCH, 1, TIME)
                    : Nd4j.create(DataType.FLOAT, BATCH, TIME);
            for (int i = 0; i < tokens.length(); i++) {
                tokens.putScalar(i, i * i % TOKENS); // some twice
            }
            INDArray labels = LayerTesting.data(CLASSES, BATCH, 1).getLabels();
            if (isOfSteps()) {
                labels = Nd4j.tile(labels.reshape(BATCH, 1, CLASSES), 1, TIME, 1);
                labels = this == TIME_BEFORE_WIDTH ? labels : labels.permute(0, 2, 1);
            }
            return new DataSet(tokens, labels);
        }

        INDArray gradient(MultiLayerNetwork network, DataSet data) {
            if (this == MASKED) {
                INDArray mask = Nd4j.ones(DataType.FLOAT, BATCH, TIME);
                mask.get(NDArrayIndex.point(1), NDArrayIndex.interval(7, TIME)).assign(0);
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
                StepPart.EMBEDDING,
                data.getFeatures(),
                network -> setting.gradient(network, data));
        assertEquals(setting.onKernel ? 1 : 0, calls);
    }
}
