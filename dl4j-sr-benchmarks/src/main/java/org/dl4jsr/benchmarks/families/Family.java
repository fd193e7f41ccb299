package org.dl4jsr.benchmarks.families;

import java.util.function.Consumer;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration.GraphBuilder;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * A family of layers: a small network that has them, what it learns, and how near its BF16 twin has to come.
 *
 * @param name what the table calls it
 * @param network the configuration of a MultiLayerNetwork; null where only a graph has such layers
 * @param graph the configuration of a ComputationGraph
 * @param data the one batch that it learns
 * @param pretrained whether its first layer alone learns, without labels
 * @param fall how far the FLOAT loss falls in 100 iterations at least, as a share of its size at the start
 * @param tolerance how far from the FLOAT loss the BF16 one may end, as a share of that fall
 */
record Family(
        String name,
        Function<NeuralNetConfiguration.Builder, MultiLayerConfiguration> network,
        Function<NeuralNetConfiguration.Builder, ComputationGraphConfiguration> graph,
        MultiDataSet data,
        boolean pretrained,
        double fall,
        double tolerance) {

    private static final double FALL = 0.4;
    private static final double TOLERANCE = 0.03;

    /** Layers one after the other, in a MultiLayerNetwork and in a ComputationGraph. */
    static Family chain(String name, MultiDataSet data, InputType input, Layer... layers) {
        return new Family(
                name,
                builder -> network(builder, input, layers),
                builder -> graph(builder, input, layers),
                data,
                false,
                FALL,
                TOLERANCE);
    }

    /** A graph of more than a chain; {@code vertices} adds all to a graph that has inputs already, first {@code in}. */
    static Family graph(String name, MultiDataSet data, Consumer<GraphBuilder> vertices, InputType... inputs) {
        return new Family(
                name,
                null,
                builder -> {
                    GraphBuilder graph = builder.graphBuilder().setInputTypes(inputs);
                    for (int i = 0; i < inputs.length; i++) {
                        graph.addInputs(i == 0 ? "in" : "in" + (i + 1));
                    }
                    vertices.accept(graph);
                    return graph.build();
                },
                data,
                false,
                FALL,
                TOLERANCE);
    }

    /** The same with more settings for all layers. */
    Family with(Consumer<NeuralNetConfiguration.Builder> settings) {
        return new Family(
                name,
                network == null
                        ? null
                        : builder -> {
                            settings.accept(builder);
                            return network.apply(builder);
                        },
                builder -> {
                    settings.accept(builder);
                    return graph.apply(builder);
                },
                data,
                pretrained,
                fall,
                tolerance);
    }

    /** The same with back-propagation through {@code steps} time steps at most. */
    Family truncated(int steps) {
        return new Family(
                name,
                network.andThen(configuration -> {
                    configuration.setBackpropType(BackpropType.TruncatedBPTT);
                    configuration.setTbpttFwdLength(steps);
                    configuration.setTbpttBackLength(steps);
                    return configuration;
                }),
                graph.andThen(configuration -> {
                    configuration.setBackpropType(BackpropType.TruncatedBPTT);
                    configuration.setTbpttFwdLength(steps);
                    configuration.setTbpttBackLength(steps);
                    return configuration;
                }),
                data,
                pretrained,
                fall,
                tolerance);
    }

    /** The same where the first layer alone learns, without labels. */
    Family unlabelled() {
        return new Family(name, network, graph, data, true, fall, tolerance);
    }

    /** The same with another fall of the FLOAT loss. */
    Family fall(double share) {
        return new Family(name, network, graph, data, pretrained, share, tolerance);
    }

    /** The same with another tolerance. */
    Family tolerance(double share) {
        return new Family(name, network, graph, data, pretrained, fall, share);
    }

    @Override
    public String toString() {
        return name;
    }

    private static MultiLayerConfiguration network(
            NeuralNetConfiguration.Builder builder, InputType input, Layer[] layers) {
        ListBuilder list = builder.list();
        for (Layer layer : layers) {
            list.layer(layer.clone());
        }
        return list.setInputType(input).build();
    }

    private static ComputationGraphConfiguration graph(
            NeuralNetConfiguration.Builder builder, InputType input, Layer[] layers) {
        GraphBuilder graph = builder.graphBuilder().addInputs("in").setInputTypes(input);
        String previous = "in";
        for (int i = 0; i < layers.length; i++) {
            String name = "layer" + i;
            graph.addLayer(name, layers[i].clone(), previous);
            previous = name;
        }
        return graph.setOutputs(previous).build();
    }
}
