package org.dl4jsr.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex.Op;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** DL4J's sum of vertices in the memory order of what comes in is the same vertex. */
class KernelElementWiseTest {

    /** What the vertex may meet, and whether it keeps the order then. */
    enum Setting {
        SUM(Op.Add, true, "a", "b"),
        ONE_TWICE(Op.Add, true, "a", "a"),
        THREE(Op.Add, false, "a", "b", "c"),
        AVERAGE(Op.Average, false, "a", "b"),
        PRODUCT(Op.Product, false, "a", "b"),
        BROADCAST(Op.Add, false, "a", "one") {
            @Override
            Layer layer(int width) {
                return new DenseLayer.Builder()
                        .nOut(width)
                        .activation(Activation.TANH)
                        .build();
            }

            @Override
            InputType inputType() {
                return InputType.feedForward(7);
            }

            @Override
            DataSet data() {
                return LayerTesting.data(3, 4, 7);
            }
        };

        private final Op op;
        private final boolean keepsOrder;
        private final String[] inputs;

        Setting(Op op, boolean keepsOrder, String... inputs) {
            this.op = op;
            this.keepsOrder = keepsOrder;
            this.inputs = inputs;
        }

        Layer layer(int channels) {
            return new ConvolutionLayer.Builder(3, 3)
                    .nOut(channels)
                    .activation(Activation.TANH)
                    .build();
        }

        InputType inputType() {
            return InputType.convolutional(6, 6, 2);
        }

        DataSet data() {
            return LayerTesting.data(3, 4, 2, 6, 6);
        }

        ComputationGraphConfiguration configuration() {
            var graph = new NeuralNetConfiguration.Builder()
                    .seed(5)
                    .updater(new Adam(1e-2))
                    .convolutionMode(ConvolutionMode.Same)
                    .graphBuilder()
                    .addInputs("in")
                    .addLayer("a", layer(5), "in");
            for (String input : inputs) {
                if (!input.equals("a")) {
                    graph.addLayer(input, layer(input.equals("one") ? 1 : 5), "a");
                }
            }
            return graph.addVertex("sum", new ElementWiseVertex(op), inputs)
                    .addLayer(
                            "out",
                            new OutputLayer.Builder(LossFunction.MCXENT)
                                    .nOut(3)
                                    .activation(Activation.SOFTMAX)
                                    .build(),
                            "sum")
                    .setOutputs("out")
                    .setInputTypes(inputType())
                    .build();
        }
    }

    @ParameterizedTest
    @EnumSource
    void isTheSameVertex(Setting setting) {
        ComputationGraphConfiguration configuration = setting.configuration();
        ComputationGraph narrow = graph(Bf16Policy.SR.apply(configuration));
        ComputationGraph wide = graph(configuration);
        wide.setParams(narrow.params().castTo(DataType.FLOAT));
        INDArray expected = gradient(wide, setting.data());
        double error = gradient(narrow, setting.data()).distance2(expected)
                / expected.norm2Number().doubleValue();
        assertTrue(error < 0.02, "gradient off by " + error);
        assertEquals(wide.score(), narrow.score(), 0.01);
        INDArray sum = narrow.feedForward(setting.data().getFeatures(), true).get("sum");
        assertEquals(setting.keepsOrder, sum.stride(1) == 1 && sum.rank() == 4, "channels last in memory");
    }

    private static ComputationGraph graph(ComputationGraphConfiguration configuration) {
        var graph = new ComputationGraph(configuration);
        graph.init();
        return graph;
    }

    private static INDArray gradient(ComputationGraph graph, DataSet data) {
        graph.setInputs(data.getFeatures());
        graph.setLabels(data.getLabels());
        graph.computeGradientAndScore();
        return graph.getFlattenedGradients().castTo(DataType.FLOAT).dup();
    }

    @Test
    void policiesPutItInAndTakeItOut() {
        ComputationGraphConfiguration configuration = Setting.SUM.configuration();
        ComputationGraphConfiguration narrow = Bf16Policy.SR.apply(configuration);
        assertSame(KernelElementWise.class, narrow.getVertices().get("sum").getClass());
        var restored = ComputationGraphConfiguration.fromJson(narrow.toJson());
        assertSame(KernelElementWise.class, restored.getVertices().get("sum").getClass());
        assertEquals(
                Op.Add, ((ElementWiseVertex) restored.getVertices().get("sum").clone()).getOp());
        assertSame(
                ElementWiseVertex.class,
                Bf16Policy.FP32.apply(narrow).getVertices().get("sum").getClass());
        ComputationGraph stock = Bf16Policy.toStock(graph(narrow));
        assertSame(
                ElementWiseVertex.class,
                stock.getConfiguration().getVertices().get("sum").getClass());
    }
}
