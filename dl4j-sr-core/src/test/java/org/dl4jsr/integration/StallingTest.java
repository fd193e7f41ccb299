package org.dl4jsr.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.DepthwiseConvolution2D;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SeparableConvolution2D;
import org.deeplearning4j.nn.conf.layers.misc.ElementWiseMultiplicationLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.variational.GaussianReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Every parameter that a layer of DL4J moves, in many steps below half an ulp, goes as far as in FLOAT. Under
 * {@code bf16-nearest} only the statistics do: that its weights stall is what it is for.
 */
@Tag("slow")
class StallingTest {

    private static final int BATCH = 4;
    private static final int STEPS = 100;
    /** Half an ulp of a weight of 0.2 is twice as much. */
    private static final double LEARNING_RATE = 2e-4;
    /** Of the way; stochastic rounding spreads arrays of few elements. */
    private static final double TOLERANCE = 0.35;

    private static final List<String> STATISTICS = List.of("_mean", "_var", "_cL");

    private static final Map<String, INDArray> FLOAT = moved(Bf16Policy.FP32);

    private final List<String> branches = new ArrayList<>();

    private GraphBuilder graph;

    @ParameterizedTest
    @EnumSource(
            value = Bf16Policy.class,
            names = {"O2", "NEAREST", "KAHAN", "SR"})
    void nothing(Bf16Policy policy) {
        Map<String, INDArray> narrow = moved(policy);
        FLOAT.forEach((name, wide) -> {
            double way = wide.norm1Number().doubleValue();
            boolean moves = policy != Bf16Policy.NEAREST || STATISTICS.stream().anyMatch(name::endsWith);
            if (way > 0 && moves) {
                INDArray direction = Transforms.sign(wide, true);
                double share = narrow.get(name).mul(direction).sumNumber().doubleValue() / way;
                assertEquals(1, share, TOLERANCE, () -> name + ", FLOAT moves by " + way / wide.length());
            }
        });
    }

    private static Map<String, INDArray> moved(Bf16Policy policy) {
        var network = new ComputationGraph(new StallingTest().configuration());
        network.init();
        var trained = policy.convert(network);
        MultiDataSet data = data();
        Map<String, INDArray> moved = new TreeMap<>();
        trained.paramTable()
                .forEach((name, value) ->
                        moved.put(name, value.castTo(DataType.FLOAT).dup('c')));
        for (int i = 0; i < STEPS; i++) {
            trained.fit(data);
        }
        trained.paramTable()
                .forEach((name, value) -> moved.compute(
                        name, (key, start) -> value.castTo(DataType.FLOAT).sub(start)));
        return moved;
    }

    private ComputationGraphConfiguration configuration() {
        graph = new NeuralNetConfiguration.Builder()
                .seed(3)
                .updater(new Adam(LEARNING_RATE))
                .activation(Activation.TANH)
                .graphBuilder()
                .addInputs("vector", "token", "tokens", "sequence", "image", "volume")
                .setInputTypes(
                        InputType.feedForward(6),
                        InputType.feedForward(9),
                        InputType.recurrent(9, 3),
                        InputType.recurrent(4, 3),
                        InputType.convolutional(6, 6, 2),
                        InputType.convolutional3D(Convolution3D.DataFormat.NCDHW, 3, 3, 3, 1));
        ofVectors();
        ofSequences();
        ofImages();
        return graph.addVertex("all", new MergeVertex(), branches.toArray(new String[0]))
                .addLayer(
                        "CenterLoss",
                        new CenterLossOutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(2)
                                .activation(Activation.SOFTMAX)
                                .alpha(0.01)
                                .lambda(1e-4)
                                .build(),
                        "all")
                .setOutputs("CenterLoss")
                .build();
    }

    private void ofVectors() {
        branch("vector", new DenseLayer.Builder().nOut(4).hasLayerNorm(true).build());
        branch(
                "vector",
                new ElementWiseMultiplicationLayer.Builder().nIn(6).nOut(6).build());
        branch("vector", new AutoEncoder.Builder().nOut(4).corruptionLevel(0).build());
        branch(
                "vector",
                new VariationalAutoencoder.Builder()
                        .nOut(3)
                        .encoderLayerSizes(4)
                        .decoderLayerSizes(4)
                        .reconstructionDistribution(new GaussianReconstructionDistribution())
                        .build());
        branch(
                "vector",
                new BatchNormalization.Builder().decay(0.99).useLogStd(false).build());
        branch("vector", new PReLULayer.Builder().inputShape(6).build());
        branch(
                "token",
                new EmbeddingLayer.Builder().nIn(9).nOut(4).hasBias(true).build());
        branch(
                "tokens",
                new EmbeddingSequenceLayer.Builder()
                        .nIn(9)
                        .nOut(4)
                        .inputLength(3)
                        .hasBias(true)
                        .build());
    }

    @SuppressWarnings("deprecation") // GravesLSTM, too
    private void ofSequences() {
        branch("sequence", new LSTM.Builder().nOut(4).build());
        branch("sequence", new GravesLSTM.Builder().nOut(4).build());
        branch("sequence", new GravesBidirectionalLSTM.Builder().nOut(4).build());
        branch("sequence", new SimpleRnn.Builder().nOut(4).build());
        branch("sequence", new Bidirectional(new SimpleRnn.Builder().nOut(4).build()));
        branch(
                "sequence",
                new Convolution1DLayer.Builder().kernelSize(2).nOut(4).build());
    }

    private void ofImages() {
        branch("image", new ConvolutionLayer.Builder(3, 3).nOut(4).build());
        branch("image", new Deconvolution2D.Builder(2, 2).nOut(4).build());
        branch(
                "image",
                new DepthwiseConvolution2D.Builder()
                        .kernelSize(3, 3)
                        .depthMultiplier(2)
                        .nOut(4)
                        .build());
        branch("image", new SeparableConvolution2D.Builder(3, 3).nOut(4).build());
        branch(
                "image",
                new BatchNormalization.Builder().decay(0.99).useLogStd(false).build());
        branch("volume", new Convolution3D.Builder(2, 2, 2).nOut(4).build());
        branch(
                "volume",
                new Deconvolution3D.Builder().kernelSize(2, 2, 2).nOut(4).build());
    }

    private void branch(String input, Layer layer) {
        String name = layer.getClass().getSimpleName() + " of " + input;
        graph.addLayer(name, layer, input);
        boolean pooled = !input.equals("vector") && !input.equals("token");
        if (pooled) {
            graph.addLayer(name + ", mean", new GlobalPoolingLayer(PoolingType.AVG), name);
        }
        branches.add(pooled ? name + ", mean" : name);
    }

    private static MultiDataSet data() {
        var random = new Random(5);
        INDArray labels = Nd4j.zeros(DataType.FLOAT, BATCH, 2);
        INDArray token = Nd4j.zeros(DataType.FLOAT, BATCH, 1);
        INDArray tokens = Nd4j.zeros(DataType.FLOAT, BATCH, 3);
        for (int i = 0; i < BATCH; i++) {
            labels.putScalar(i, i % 2, 1);
            token.putScalar(i, 0, i);
            for (int t = 0; t < 3; t++) {
                tokens.putScalar(i, t, i + t);
            }
        }
        return new MultiDataSet(
                new INDArray[] {
                    gaussian(random, BATCH, 6),
                    token,
                    tokens,
                    gaussian(random, BATCH, 4, 3),
                    gaussian(random, BATCH, 2, 6, 6),
                    gaussian(random, BATCH, 1, 3, 3, 3)
                },
                new INDArray[] {labels});
    }

    private static INDArray gaussian(Random random, long... shape) {
        INDArray values = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < values.length(); i++) {
            values.putScalar(i, random.nextGaussian());
        }
        return values;
    }
}
