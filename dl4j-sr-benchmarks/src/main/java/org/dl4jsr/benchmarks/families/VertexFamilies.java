package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Family.graph;
import static org.dl4jsr.benchmarks.families.Layers.classifier;
import static org.dl4jsr.benchmarks.families.Layers.dense;
import static org.dl4jsr.benchmarks.families.Layers.stepClassifier;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.L2NormalizeVertex;
import org.deeplearning4j.nn.conf.graph.L2Vertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.graph.PoolHelperVertex;
import org.deeplearning4j.nn.conf.graph.PreprocessorVertex;
import org.deeplearning4j.nn.conf.graph.ReshapeVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.graph.ShiftVertex;
import org.deeplearning4j.nn.conf.graph.StackVertex;
import org.deeplearning4j.nn.conf.graph.SubsetVertex;
import org.deeplearning4j.nn.conf.graph.UnstackVertex;
import org.deeplearning4j.nn.conf.graph.rnn.DuplicateToTimeSeriesVertex;
import org.deeplearning4j.nn.conf.graph.rnn.LastTimeStepVertex;
import org.deeplearning4j.nn.conf.graph.rnn.ReverseTimeSeriesVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Convolution3D.DataFormat;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnn3DPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.Adam;

/** The vertices of a ComputationGraph. */
final class VertexFamilies {

    private static final InputType VECTOR = InputType.feedForward(8);
    private static final InputType SEQUENCE = InputType.recurrent(4, Tasks.STEPS);
    private static final InputType IMAGE = InputType.convolutional(6, 6, 2);

    private VertexFamilies() {}

    static List<Family> all() {
        var families = new ArrayList<Family>();
        for (ElementWiseVertex.Op op : ElementWiseVertex.Op.values()) {
            families.add(joined("ElementWiseVertex, " + op, new ElementWiseVertex(op)));
        }
        families.add(joined("MergeVertex", new MergeVertex()));
        for (GraphVertex vertex :
                List.of(new L2NormalizeVertex(), new ScaleVertex(0.5), new ShiftVertex(0.5), new SubsetVertex(1, 6))) {
            families.add(graph(
                    vertex.getClass().getSimpleName(),
                    Tasks.patterns(8),
                    graph -> graph.addLayer("hidden", dense(8), "in")
                            .addVertex("vertex", vertex.clone(), "hidden")
                            .addLayer("out", classifier(), "vertex")
                            .setOutputs("out"),
                    VECTOR));
        }
        families.add(graph(
                "FrozenVertex",
                Tasks.patterns(8),
                graph -> graph.addVertex("scaled", new FrozenVertex(new ScaleVertex(2)), "in")
                        .addLayer("hidden", dense(8), "scaled")
                        .addLayer("out", classifier(), "hidden")
                        .setOutputs("out"),
                VECTOR));
        families.add(graph(
                "L2Vertex",
                Tasks.patterns(8),
                graph -> graph.addLayer("left", dense(6), "in")
                        .addLayer("right", dense(6), "in")
                        .addVertex("distance", new L2Vertex(), "left", "right")
                        .addVertex("all", new MergeVertex(), "distance", "left")
                        .addLayer("out", classifier(), "all")
                        .setOutputs("out"),
                VECTOR));
        families.add(graph(
                "ReshapeVertex",
                Tasks.patterns(8),
                graph -> graph.addLayer("hidden", dense(12), "in")
                        .addVertex("sequence", new ReshapeVertex(-1, 4, 3), "hidden")
                        .addLayer("rnn", new SimpleRnn.Builder().nIn(4).nOut(6).build(), "sequence")
                        .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "rnn")
                        .addLayer("out", classifier(), "pool")
                        .setOutputs("out"),
                VECTOR));
        families.add(graph(
                "PreprocessorVertex",
                Tasks.patterns(2, 6, 6),
                graph -> graph.addLayer("convolution", convolution(), "in")
                        .addVertex(
                                "flat",
                                new PreprocessorVertex(new CnnToFeedForwardPreProcessor(4, 4, 4)),
                                "convolution")
                        .addLayer("out", classifier(), "flat")
                        .setOutputs("out"),
                IMAGE));
        families.add(graph(
                "PreprocessorVertex, composed",
                Tasks.patterns(2, 6, 6),
                graph -> graph.addLayer("convolution", convolution(), "in")
                        .addVertex(
                                "same",
                                new PreprocessorVertex(new ComposableInputPreProcessor(
                                        new CnnToFeedForwardPreProcessor(4, 4, 4),
                                        new FeedForwardToCnnPreProcessor(4, 4, 4))),
                                "convolution")
                        .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "same")
                        .addLayer("out", classifier(), "pool")
                        .setOutputs("out"),
                IMAGE));
        families.add(graph(
                "PreprocessorVertex, vectors to volumes",
                Tasks.patterns(8),
                graph -> graph.addLayer("hidden", dense(16), "in")
                        .addVertex(
                                "volume",
                                new PreprocessorVertex(new FeedForwardToCnn3DPreProcessor(2, 2, 2, 2, false)),
                                "hidden")
                        .addLayer(
                                "convolution",
                                new Convolution3D.Builder(2, 2, 2)
                                        .nOut(4)
                                        .dataFormat(DataFormat.NDHWC)
                                        .activation(Activation.TANH)
                                        .build(),
                                "volume")
                        .addLayer("out", classifier(), "convolution")
                        .setOutputs("out"),
                VECTOR));
        families.add(graph(
                "PreprocessorVertex, sequences of images",
                Tasks.steps(18),
                graph -> graph.addVertex("images", new PreprocessorVertex(new RnnToCnnPreProcessor(3, 3, 2)), "in")
                        .addLayer(
                                "convolution",
                                new ConvolutionLayer.Builder(2, 2)
                                        .nOut(4)
                                        .activation(Activation.TANH)
                                        .build(),
                                "images")
                        .addVertex("sequence", new PreprocessorVertex(new CnnToRnnPreProcessor(2, 2, 4)), "convolution")
                        .addLayer("rnn", new SimpleRnn.Builder().nOut(8).build(), "sequence")
                        .addLayer("out", stepClassifier(), "rnn")
                        .setOutputs("out"),
                InputType.recurrent(18, Tasks.STEPS)));
        families.add(graph(
                "PoolHelperVertex",
                Tasks.patterns(2, 6, 6),
                graph -> graph.addLayer("convolution", convolution(), "in")
                        .addVertex("stripped", new PoolHelperVertex(), "convolution")
                        .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "stripped")
                        .addLayer("out", classifier(), "pool")
                        .setOutputs("out"),
                IMAGE));
        families.add(graph(
                "StackVertex, UnstackVertex, two inputs, two outputs",
                two(Tasks.patterns(8)),
                graph -> graph.addVertex("stack", new StackVertex(), "in", "in2")
                        .addLayer("hidden", dense(12), "stack")
                        .addVertex("first", new UnstackVertex(0, 2), "hidden")
                        .addVertex("second", new UnstackVertex(1, 2), "hidden")
                        .addLayer("out", classifier(), "first")
                        .addLayer("out2", classifier(), "second")
                        .setOutputs("out", "out2"),
                VECTOR,
                VECTOR));
        families.add(graph(
                "LastTimeStepVertex, DuplicateToTimeSeriesVertex",
                Tasks.maskedSteps(4),
                graph -> graph.addLayer(
                                "encoder", new SimpleRnn.Builder().nOut(6).build(), "in")
                        .addVertex("last", new LastTimeStepVertex("in"), "encoder")
                        .addVertex("copies", new DuplicateToTimeSeriesVertex("in"), "last")
                        .addVertex("all", new MergeVertex(), "copies", "in")
                        .addLayer("decoder", new SimpleRnn.Builder().nOut(6).build(), "all")
                        .addLayer("out", stepClassifier(), "decoder")
                        .setOutputs("out"),
                SEQUENCE));
        families.add(graph(
                        "ReverseTimeSeriesVertex",
                        Tasks.maskedSteps(4),
                        graph -> graph.addVertex("reversed", new ReverseTimeSeriesVertex("in"), "in")
                                .addLayer("rnn", new SimpleRnn.Builder().nOut(6).build(), "reversed")
                                .addVertex("again", new ReverseTimeSeriesVertex("in"), "rnn")
                                .addLayer("out", stepClassifier(), "again")
                                .setOutputs("out"),
                        SEQUENCE)
                .with(builder -> builder.updater(new Adam(1e-2))));
        return families;
    }

    private static Family joined(String name, GraphVertex vertex) {
        return graph(
                name,
                Tasks.patterns(8),
                graph -> graph.addLayer("left", dense(6), "in")
                        .addLayer("right", dense(6, Activation.RELU), "in")
                        .addVertex("vertex", vertex.clone(), "left", "right")
                        .addLayer("out", classifier(), "vertex")
                        .setOutputs("out"),
                VECTOR);
    }

    private static ConvolutionLayer convolution() {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(4)
                .activation(Activation.TANH)
                .build();
    }

    /** The same task for two inputs and outputs, with other examples second. */
    private static MultiDataSet two(MultiDataSet data) {
        INDArray features = data.getFeatures(0);
        return new MultiDataSet(
                new INDArray[] {features, features.neg()}, new INDArray[] {data.getLabels(0), data.getLabels(0)});
    }
}
