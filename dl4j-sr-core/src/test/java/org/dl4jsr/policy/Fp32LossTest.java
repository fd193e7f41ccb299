package org.dl4jsr.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D.DataFormat;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

class Fp32LossTest {

    /** Outputs that BF16 rounds to a probability of 1: the plain loss yields Infinity and NaN there. */
    @Test
    void aSureOutputHasAFiniteLossAndAGradient() {
        INDArray output = bf16(new double[][] {{8, -8}});
        INDArray labels = Nd4j.create(new float[][] {{1, 1}});
        var sigmoid = Activation.SIGMOID.getActivationFunction();
        var loss = new Fp32Loss(new LossBinaryXENT());
        INDArray gradient = loss.computeGradient(labels, output, sigmoid, null);
        assertEquals(DataType.BFLOAT16, gradient.dataType());
        assertEquals(-1 / (1 + Math.exp(8)), gradient.getDouble(0, 0), 2e-6);
        assertEquals(-1 / (1 + Math.exp(-8)), gradient.getDouble(0, 1), 4e-3);
        double expected = Math.log1p(Math.exp(-8)) + Math.log1p(Math.exp(8));
        assertEquals(expected, loss.computeScore(labels, output, sigmoid, null, true), 1e-5);
        assertEquals(
                expected, loss.computeScoreArray(labels, output, sigmoid, null).getDouble(0), 1e-5);
        var both = loss.computeGradientAndScore(labels, output, sigmoid, null, true);
        assertEquals(expected, both.getFirst(), 1e-5);
        assertEquals(gradient, both.getSecond());
    }

    @Test
    void theGradientIsTheFloatOneRounded() {
        INDArray output = bf16(new double[][] {{1.5, -0.25, 3}, {0, 7, -2}});
        INDArray labels = Nd4j.create(new float[][] {{0, 1, 0}, {0, 1, 0}});
        var softmax = Activation.SOFTMAX.getActivationFunction();
        INDArray wide = new LossMCXENT().computeGradient(labels, output.castTo(DataType.FLOAT), softmax, null);
        assertEquals(
                wide.castTo(DataType.BFLOAT16),
                new Fp32Loss(new LossMCXENT()).computeGradient(labels, output, softmax, null));
    }

    @Test
    void aPolicyPutsItIntoEveryKindOfOutputLayerAndTakesItOut() {
        var layers = new Layer[] {
            new OutputLayer.Builder(LossFunction.MSE).nIn(3).nOut(3).build(),
            new LossLayer.Builder(LossFunction.MSE).build(),
            new RnnLossLayer.Builder(LossFunction.MSE).build(),
            new CnnLossLayer.Builder(LossFunction.MSE).build(),
            new Cnn3DLossLayer.Builder(DataFormat.NCDHW)
                    .lossFunction(LossFunction.MSE)
                    .build(),
            new FrozenLayer(
                    new OutputLayer.Builder(LossFunction.MSE).nIn(3).nOut(3).build())
        };
        for (Layer layer : layers) {
            MultiLayerConfiguration network =
                    new NeuralNetConfiguration.Builder().list(layer).build();
            var graph = new NeuralNetConfiguration.Builder()
                    .graphBuilder()
                    .addInputs("in")
                    .addLayer("out", layer, "in")
                    .setOutputs("out")
                    .build();
            network = Bf16Policy.SR.apply(Bf16Policy.NEAREST.apply(network));
            graph = Bf16Policy.SR.apply(graph);
            assertEquals(new Fp32Loss(LossFunction.MSE.getILossFunction()), loss(network), layer.toString());
            assertEquals(new Fp32Loss(LossFunction.MSE.getILossFunction()), loss(graph), layer.toString());
            assertEquals(network, MultiLayerConfiguration.fromJson(network.toJson()));
            assertEquals(graph, ComputationGraphConfiguration.fromJson(graph.toJson()));
            network = Bf16Policy.O1.apply(network);
            graph = Bf16Policy.FP32.apply(graph);
            assertEquals(LossFunction.MSE.getILossFunction(), loss(network), layer.toString());
            assertEquals(LossFunction.MSE.getILossFunction(), loss(graph), layer.toString());
        }
    }

    private static ILossFunction loss(MultiLayerConfiguration configuration) {
        return loss(configuration.getConf(0).getLayer());
    }

    private static ILossFunction loss(ComputationGraphConfiguration configuration) {
        return loss(((LayerVertex) configuration.getVertices().get("out"))
                .getLayerConf()
                .getLayer());
    }

    private static ILossFunction loss(Layer layer) {
        if (layer instanceof FrozenLayer frozen) {
            return loss(frozen.getLayer());
        }
        if (layer instanceof LossLayer output) {
            return output.getLossFn();
        }
        if (layer instanceof RnnLossLayer output) {
            return output.getLossFn();
        }
        if (layer instanceof CnnLossLayer output) {
            return output.getLossFn();
        }
        return layer instanceof Cnn3DLossLayer output ? output.getLossFn() : ((BaseOutputLayer) layer).getLossFn();
    }

    private static INDArray bf16(double[][] values) {
        return Nd4j.create(values).castTo(DataType.BFLOAT16);
    }
}
