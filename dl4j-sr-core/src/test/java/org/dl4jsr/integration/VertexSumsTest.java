package org.dl4jsr.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.ScaleVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A vertex that adds up many inputs, and one that feeds many: a BF16 sum of ones ends at 256. */
class VertexSumsTest {

    private static final int TERMS = 300;
    private static final double TOLERANCE = 0.01;

    @Test
    void forwardAndBackward() {
        ComputationGraph wide = graph();
        ComputationGraph bf16 = Bf16Policy.SR.convert(wide);
        for (ComputationGraph graph : new ComputationGraph[] {wide, bf16}) {
            graph.setInputs(Nd4j.ones(DataType.FLOAT, 1, 1));
            graph.setLabels(Nd4j.zeros(DataType.FLOAT, 1, 1));
            graph.computeGradientAndScore();
        }
        assertClose(
                wide.feedForward(Nd4j.ones(DataType.FLOAT, 1, 1), false).get("sum"),
                bf16.feedForward(Nd4j.ones(DataType.FLOAT, 1, 1), false).get("sum"));
        assertClose(wide.gradient().getGradientFor("shared_W"), bf16.gradient().getGradientFor("shared_W"));
    }

    private static void assertClose(INDArray expected, INDArray actual) {
        assertEquals(1, actual.getDouble(0) / expected.getDouble(0), TOLERANCE);
    }

    private static ComputationGraph graph() {
        var builder = new NeuralNetConfiguration.Builder()
                .updater(new Adam())
                .graphBuilder()
                .addInputs("in")
                .addLayer(
                        "shared",
                        new DenseLayer.Builder()
                                .nIn(1)
                                .nOut(1)
                                .activation(Activation.IDENTITY)
                                .build(),
                        "in");
        String[] names = IntStream.range(0, TERMS).mapToObj(i -> "term" + i).toArray(String[]::new);
        for (String name : names) {
            builder.addVertex(name, new ScaleVertex(1), "shared");
        }
        var graph =
                new ComputationGraph(builder.addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), names)
                        .addLayer(
                                "out",
                                new LossLayer.Builder(LossFunction.MSE)
                                        .activation(Activation.IDENTITY)
                                        .build(),
                                "sum")
                        .setOutputs("out")
                        .build());
        graph.init();
        graph.setParam("shared_W", Nd4j.ones(DataType.FLOAT, 1, 1));
        return graph;
    }
}
