package org.dl4jsr.policy;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.INPUTS;
import static org.dl4jsr.updater.TestNetworks.dense;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LocalResponseNormalization;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.samediff.SDLayerParams;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.conf.weightnoise.DropConnect;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Where a BF16 network's outputs come from they are FLOAT, and near those of the FLOAT network. */
class PolicyOutputsTest {

    static Stream<Arguments> endings() {
        var vector = InputType.feedForward(INPUTS);
        var sequence = InputType.recurrent(4, 5);
        var image = InputType.convolutional(6, 6, 2);
        var solid = InputType.convolutional3D(Convolution3D.DataFormat.NCDHW, 4, 4, 4, 2);
        return Stream.of(
                Arguments.of(vector, dense(INPUTS, 8), TestNetworks.output(8)),
                Arguments.of(vector, dense(INPUTS, 8), dense(8, 3)),
                Arguments.of(vector, dense(INPUTS, 8), new FrozenLayer(dense(8, 3))),
                Arguments.of(vector, dense(INPUTS, 8), new FrozenLayerWithBackprop(dense(8, 3))),
                Arguments.of(vector, dense(INPUTS, 8), new ActivationLayer(Activation.SOFTMAX)),
                Arguments.of(vector, dense(INPUTS, 8), new FrozenLayer(new ActivationLayer(Activation.SOFTMAX))),
                Arguments.of(vector, dense(INPUTS, 8), new DropoutLayer(0.5)),
                Arguments.of(
                        vector,
                        dense(INPUTS, 8),
                        new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(4)
                                .activation(Activation.SOFTMAX)
                                .build()),
                Arguments.of(
                        vector,
                        dense(INPUTS, 8),
                        new LossLayer.Builder(LossFunction.MCXENT)
                                .activation(Activation.SOFTMAX)
                                .build()),
                Arguments.of(
                        sequence,
                        lstm(),
                        new RnnOutputLayer.Builder(LossFunction.MSE)
                                .activation(Activation.IDENTITY)
                                .nOut(3)
                                .build()),
                Arguments.of(
                        sequence,
                        lstm(),
                        new RnnLossLayer.Builder(LossFunction.MSE)
                                .activation(Activation.TANH)
                                .build()),
                Arguments.of(sequence, lstm(), lstm()),
                Arguments.of(sequence, lstm(), new SimpleRnn.Builder().nOut(8).build()),
                Arguments.of(sequence, lstm(), new LastTimeStep(lstm())),
                Arguments.of(sequence, lstm(), new Bidirectional(lstm())),
                Arguments.of(sequence, lstm(), new GlobalPoolingLayer(PoolingType.MAX)),
                Arguments.of(image, convolution(4), new GlobalPoolingLayer(PoolingType.AVG)),
                Arguments.of(image, convolution(4), new Upsampling2D.Builder(2).build()),
                Arguments.of(image, convolution(4), new LocalResponseNormalization.Builder().build()),
                Arguments.of(image, convolution(4), convolution(3)),
                Arguments.of(
                        image,
                        convolution(4),
                        new SeparableConvolution2D.Builder(2, 2).nOut(3).build()),
                Arguments.of(
                        image,
                        convolution(4),
                        new CnnLossLayer.Builder(LossFunction.MSE)
                                .activation(Activation.SIGMOID)
                                .build()),
                Arguments.of(
                        solid,
                        new Convolution3D.Builder(2, 2, 2).nOut(3).build(),
                        new Convolution3D.Builder(2, 2, 2).nOut(3).build()),
                Arguments.of(
                        solid,
                        new Convolution3D.Builder(2, 2, 2).nOut(3).build(),
                        new Cnn3DLossLayer.Builder(Convolution3D.DataFormat.NCDHW)
                                .lossFunction(LossFunction.MSE)
                                .activation(Activation.SIGMOID)
                                .build()),
                Arguments.of(
                        image,
                        new ConvolutionLayer.Builder(1, 1).nOut(14).build(),
                        new Yolo2OutputLayer.Builder()
                                .boundingBoxPriors(Nd4j.create(new float[][] {{1, 1}, {2, 2}}))
                                .build()));
    }

    private static ConvolutionLayer convolution(int channels) {
        return new ConvolutionLayer.Builder(3, 3).nOut(channels).build();
    }

    private static LSTM lstm() {
        return new LSTM.Builder().nOut(8).build();
    }

    @ParameterizedTest
    @MethodSource("endings")
    void outputsAreFloat(InputType input, Layer first, Layer last) {
        MultiLayerConfiguration network = TestNetworks.builder(new Adam(1e-2))
                .list()
                .layer(first.clone())
                .layer(last.clone())
                .setInputType(input)
                .build();
        long[] shape = input.getShape(true);
        shape[0] = 3;
        INDArray x = Nd4j.rand(DataType.FLOAT, shape).mul(2);
        var wide = TestNetworks.network(network);
        INDArray expected = wide.output(x);
        var narrow = Bf16Policy.SR.convert(wide);
        INDArray actual = narrow.output(x);
        assertEquals(DataType.FLOAT, actual.dataType());
        assertEquals(
                0,
                expected.sub(actual).amaxNumber().doubleValue(),
                0.02 * expected.amaxNumber().doubleValue());
        String json = narrow.getLayerWiseConfigurations().toJson();
        assertEquals(json, MultiLayerConfiguration.fromJson(json).toJson());

        ComputationGraphConfiguration graph = TestNetworks.builder(new Adam(1e-2))
                .graphBuilder()
                .addInputs("in")
                .addLayer("first", first.clone(), "in")
                .addLayer("last", last.clone(), "first")
                .setOutputs("last")
                .setInputTypes(input)
                .build();
        var wideGraph = new ComputationGraph(graph);
        wideGraph.init();
        INDArray graphExpected = wideGraph.outputSingle(x);
        INDArray graphActual = Bf16Policy.SR.convert(wideGraph).outputSingle(x);
        assertEquals(DataType.FLOAT, graphActual.dataType());
        assertEquals(
                0,
                graphExpected.sub(graphActual).amaxNumber().doubleValue(),
                0.02 * graphExpected.amaxNumber().doubleValue());

        var bf16 = TestNetworks.network(Bf16Policy.SR.apply(network, DataType.BFLOAT16));
        assertEquals(DataType.BFLOAT16, bf16.output(x).dataType());

        MultiLayerConfiguration back = Bf16Policy.FP32.apply(Bf16Policy.SR.apply(network));
        assertEquals(network.getInputPreProcessors(), back.getInputPreProcessors());
        if (back.getConf(1).getLayer() instanceof BaseLayer layer) {
            assertNull(layer.getWeightNoise());
        }
    }

    @Test
    void outputsHaveTheDigitsOfTheProduct() {
        var network = Bf16Policy.SR.convert(TestNetworks.mlp(new Adam(1e-2), DataType.FLOAT));
        INDArray hidden = network.feedForward(DATA.getFeatures()).get(2);
        INDArray logits = hidden.castTo(DataType.DOUBLE)
                .mmul(network.getParam("2_W").castTo(DataType.DOUBLE))
                .addRowVector(network.getParam("2_b").castTo(DataType.DOUBLE));
        INDArray expected = Nd4j.nn().softmax(logits, 1);
        INDArray actual = network.output(DATA.getFeatures()).castTo(DataType.DOUBLE);
        assertEquals(0, expected.sub(actual).amaxNumber().doubleValue(), 1e-6);
    }

    @Test
    void weightNoiseStaysInTraining() {
        var configuration = TestNetworks.builder(new Adam(1e-2))
                .weightNoise(new DropConnect(0.5))
                .list()
                .layer(dense(INPUTS, 8))
                .layer(TestNetworks.output(8))
                .build();
        MultiLayerConfiguration policy = Bf16Policy.SR.apply(Bf16Policy.SR.apply(configuration));
        var last = (BaseLayer) policy.getConf(1).getLayer();
        assertEquals(new FloatOutputs(new DropConnect(0.5)), last.getWeightNoise());
        var network = TestNetworks.network(policy);
        double before = network.score(DATA);
        TestNetworks.fit(network, 50);
        assertTrue(network.score(DATA) < before);
        assertEquals(network.output(DATA.getFeatures()), network.output(DATA.getFeatures()));
    }

    @Test
    void onlyTwoTypes() {
        var configuration = TestNetworks.mlpConfiguration(new Adam(), DataType.FLOAT);
        assertEquals(
                "outputType is DOUBLE, expected FLOAT or BFLOAT16",
                assertThrows(IllegalArgumentException.class, () -> Bf16Policy.SR.apply(configuration, DataType.DOUBLE))
                        .getMessage());
    }

    /** Where a SameDiff layer casts by itself, as docs/models.md says, its outputs and its score have FLOAT's digits. */
    @Test
    void sameDiffOutputs() {
        MultiLayerNetwork network = TestNetworks.network(Bf16Policy.SR.apply(TestNetworks.builder(new Adam(1e-2))
                .list()
                .layer(dense(INPUTS, 8))
                .layer(new SoftmaxOfCasts())
                .build()));
        double before = network.score(DATA);
        TestNetworks.fit(network, 30);
        assertTrue(network.score(DATA) < 0.7 * before);
        INDArray output = network.output(DATA.getFeatures());
        assertEquals(DataType.FLOAT, output.dataType());
        assertNotEquals(output, output.castTo(DataType.BFLOAT16).castTo(DataType.FLOAT));
        var score = (float) network.score();
        assertNotEquals(score, BFloat16.toFloat(BFloat16.fromFloat(score)));
    }

    /** The cross-entropy of softmax(x w), in FLOAT. */
    static final class SoftmaxOfCasts extends SameDiffOutputLayer {

        @Override
        public void defineParameters(SDLayerParams parameters) {
            parameters.addWeightParam("w", 8, TestNetworks.CLASSES);
        }

        @Override
        public void initializeParameters(Map<String, INDArray> parameters) {
            parameters.get("w").assign(Nd4j.eye(8).get(NDArrayIndex.all(), NDArrayIndex.interval(0, 4)));
        }

        @Override
        public SDVariable defineLayer(
                SameDiff sameDiff, SDVariable input, SDVariable labels, Map<String, SDVariable> parameters) {
            SDVariable logits =
                    input.castTo(DataType.FLOAT).mmul(parameters.get("w").castTo(DataType.FLOAT));
            SDVariable output = sameDiff.nn.softmax("output", logits, 1);
            return labels.castTo(DataType.FLOAT)
                    .mul(sameDiff.math.log(output))
                    .neg()
                    .sum(1)
                    .mean();
        }

        @Override
        public String activationsVertexName() {
            return "output";
        }

        @Override
        public InputType getOutputType(int index, InputType input) {
            return InputType.feedForward(TestNetworks.CLASSES);
        }
    }
}
