package org.dl4jsr.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Each layer of DL4J's that has one of ours. */
class KernelLayersTest {

    @SuppressWarnings("deprecation") // GravesLSTM, GravesBidirectionalLSTM
    static Stream<Layer> layers() {
        return Stream.of(
                new DenseLayer.Builder().nIn(2).nOut(3).hasBias(false).build(),
                new OutputLayer.Builder(LossFunction.MSE).nIn(2).nOut(3).build(),
                new RnnOutputLayer.Builder(LossFunction.MSE).nIn(2).nOut(3).build(),
                new ActivationLayer(Activation.RELU),
                new LSTM.Builder().nIn(2).nOut(3).forgetGateBiasInit(0.5).build(),
                new GravesLSTM.Builder().nIn(2).nOut(3).build(),
                new GravesBidirectionalLSTM.Builder().nIn(2).nOut(3).build(),
                new SimpleRnn.Builder().nIn(2).nOut(3).build(),
                new BatchNormalization.Builder().nOut(3).eps(0.25).build(),
                new ConvolutionLayer.Builder(3, 2).nIn(2).nOut(3).build(),
                new Convolution1DLayer.Builder().kernelSize(3).nIn(2).nOut(3).build(),
                new Deconvolution2D.Builder(3, 2).nIn(2).nOut(3).build(),
                new Deconvolution3D.Builder().kernelSize(3, 2, 1).nIn(2).nOut(3).build(),
                new SubsamplingLayer.Builder().kernelSize(3, 2).build(),
                new EmbeddingSequenceLayer.Builder()
                        .nIn(5)
                        .nOut(3)
                        .inputLength(4)
                        .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                new SelfAttentionLayer.Builder()
                        .nIn(2)
                        .nOut(3)
                        .nHeads(1)
                        .projectInput(true)
                        .build(),
                new RecurrentAttentionLayer.Builder().nIn(2).nOut(3).nHeads(1).build());
    }

    @ParameterizedTest
    @MethodSource("layers")
    void comesBackFromOursAndFromJson(Layer layer) {
        Layer ours = KernelLayers.ours(layer);
        assertEquals(layer.getClass(), ours.getClass().getSuperclass());
        String json =
                new NeuralNetConfiguration.Builder().list().layer(ours).build().toJson();
        var restored = MultiLayerConfiguration.fromJson(json);
        assertEquals(json, restored.toJson());
        assertEquals(ours.getClass(), restored.getConf(0).getLayer().getClass());
        assertEquals(
                layer.getClass(),
                KernelLayers.stock(restored.getConf(0).getLayer()).getClass());
    }
}
