package org.dl4jsr.benchmarks.families;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.AutoEncoder;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.PReLULayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What is not among the families: DL4J M2.1 cannot train it in FLOAT either. */
@Tag("slow")
class LimitsTest {

    @ParameterizedTest
    @MethodSource
    void failsInFloatToo(Family family) {
        var builder = new NeuralNetConfiguration.Builder().seed(1).updater(new Adam(1e-2));
        assertThrows(RuntimeException.class, () -> {
            var graph = new ComputationGraph(family.graph().apply(builder));
            graph.init();
            graph.fit(family.data());
        });
    }

    static Stream<Family> failsInFloatToo() {
        InputType vector = InputType.feedForward(8);
        InputType sequence = InputType.recurrent(4, Tasks.STEPS);
        InputType image = InputType.convolutional(6, 6, 2);
        var convolution = new ConvolutionLayer.Builder(3, 3)
                .nOut(4)
                .activation(Activation.TANH)
                .build();
        MultiDataSet vectors = Tasks.patterns(8);
        MultiDataSet images = Tasks.patterns(2, 6, 6);
        return Stream.of(
                // Op scatter_update gets no integer arguments.
                Family.chain(
                        "LearnedSelfAttention",
                        Tasks.patterns(4, Tasks.STEPS),
                        sequence,
                        new LearnedSelfAttentionLayer.Builder()
                                .nOut(6)
                                .nHeads(2)
                                .headSize(3)
                                .nQueries(2)
                                .projectInput(true)
                                .build(),
                        Layers.classifier()),
                // It takes its gain apart as a matrix, and it is a vector.
                Family.chain(
                        "SimpleRnn with layer normalization",
                        Tasks.steps(4),
                        sequence,
                        new SimpleRnn.Builder().nOut(6).hasLayerNorm(true).build(),
                        Layers.stepClassifier()),
                Family.chain(
                                "truncated back-propagation through Bidirectional",
                                Tasks.steps(4),
                                sequence,
                                new Bidirectional(
                                        new SimpleRnn.Builder().nOut(6).build()),
                                Layers.stepClassifier())
                        .truncated(2),
                // Op prelu_bp refuses slopes that many elements share.
                Family.chain(
                        "PReLU with shared slopes",
                        images,
                        image,
                        convolution,
                        new PReLULayer.Builder()
                                .inputShape(4, 4, 4)
                                .sharedAxes(2, 3)
                                .build(),
                        Layers.classifier()),
                Family.chain(
                        "Subsampling, SUM",
                        images,
                        image,
                        convolution,
                        new SubsamplingLayer.Builder(PoolingType.SUM)
                                .kernelSize(2, 2)
                                .build(),
                        Layers.classifier()),
                // The layer wants one label a channel, the loss one a position.
                Family.chain(
                        "CnnLossLayer, SPARSE_MCXENT",
                        new MultiDataSet(
                                images.getFeatures(0),
                                images.getFeatures(0)
                                        .gt(0)
                                        .castTo(DataType.FLOAT)
                                        .max(true, 1)),
                        image,
                        new ConvolutionLayer.Builder(1, 1)
                                .nOut(3)
                                .activation(Activation.IDENTITY)
                                .build(),
                        new CnnLossLayer.Builder(LossFunction.SPARSE_MCXENT)
                                .activation(Activation.SOFTMAX)
                                .build()),
                // It lets no gradient through.
                Family.graph(
                        "FrozenVertex after a layer",
                        vectors,
                        graph -> graph.addLayer("hidden", Layers.dense(8), "in")
                                .addVertex("frozen", new FrozenVertex(new ScaleVertex(2)), "hidden")
                                .addLayer("out", Layers.classifier(), "frozen")
                                .setOutputs("out"),
                        vector));
    }

    /** An AutoEncoder's own gradient has the wrong sign: pretraining takes it away from its input. */
    @Test
    void pretrainingAnAutoEncoderAscendsInFloatToo() {
        var network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(1e-2))
                .list()
                .layer(new AutoEncoder.Builder()
                        .nIn(8)
                        .nOut(6)
                        .activation(Activation.SIGMOID)
                        .corruptionLevel(0)
                        .build())
                .layer(Layers.classifier())
                .setInputType(InputType.feedForward(8))
                .build());
        network.init();
        INDArray features = Tasks.patterns(8).getFeatures(0).gt(0).castTo(DataType.FLOAT);
        double start = reconstructionError(network, features);
        for (int i = 0; i < 100; i++) {
            network.pretrainLayer(0, features);
        }
        assertTrue(reconstructionError(network, features) > 1.5 * start);
    }

    private static double reconstructionError(MultiLayerNetwork network, INDArray features) {
        var layer = (org.deeplearning4j.nn.layers.feedforward.autoencoder.AutoEncoder) network.getLayer(0);
        var workspaces = LayerWorkspaceMgr.noWorkspaces();
        return layer.decode(layer.encode(features, false, workspaces), workspaces)
                .squaredDistance(features);
    }
}
