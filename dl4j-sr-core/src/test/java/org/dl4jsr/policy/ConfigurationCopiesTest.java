package org.dl4jsr.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayerWithBackprop;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaVertex;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

class ConfigurationCopiesTest {

    @Test
    void aNetworksCopyHasAllAndSharesNoLayer() {
        MultiLayerConfiguration original = TestNetworks.builder(new Adam(0.5))
                .list()
                .layer(new FrozenLayer(new LSTM.Builder().nIn(4).nOut(4).build()))
                .layer(new LastTimeStep(
                        new Bidirectional(new LSTM.Builder().nIn(4).nOut(8).build())))
                .layer(new FrozenLayerWithBackprop(TestNetworks.dense(16, 16)))
                .layer(TestNetworks.output(16))
                .build();
        original.setIterationCount(7);
        original.setEpochCount(2);
        original.setTbpttFwdLength(5);
        String json = original.toJson();
        MultiLayerConfiguration copy = ConfigurationCopies.of(original);
        assertEquals(json, copy.toJson());
        for (Bf16Policy policy : Bf16Policy.values()) {
            policy.apply(original);
            assertEquals(json, original.toJson(), policy.toString());
        }
        var here = (Bidirectional) ((LastTimeStep) original.getConf(1).getLayer()).getUnderlying();
        var there = (Bidirectional) ((LastTimeStep) copy.getConf(1).getLayer()).getUnderlying();
        assertNotSame(here.getFwd(), there.getFwd());
        assertNotSame(here.getBwd(), there.getBwd());
    }

    @Test
    void aGraphsCopyHasAll() {
        var attention = new AttentionVertex.Builder()
                .nHeads(2)
                .headSize(4)
                .nInKeys(8)
                .nInQueries(8)
                .nInValues(8)
                .nOut(8)
                .projectInput(true)
                .build();
        ComputationGraphConfiguration original = TestNetworks.builder(new Adam(0.5))
                .graphBuilder()
                .addInputs("in")
                .addLayer("lstm", new LSTM.Builder().nOut(8).build(), "in")
                .addVertex("attention", attention, "lstm", "lstm", "lstm")
                .addVertex("both", new MergeVertex(), "lstm", "attention")
                .addLayer(
                        "out",
                        new RnnOutputLayer.Builder(LossFunction.MSE)
                                .activation(Activation.IDENTITY)
                                .nOut(2)
                                .build(),
                        "both")
                .setOutputs("out")
                .setInputTypes(InputType.recurrent(4))
                .build();
        var first = (LayerVertex) original.getVertices().get("lstm");
        first.setOutputVertex(true);
        first.setPreProcessor(new RnnToFeedForwardPreProcessor());
        original.getVertices().put("frozen", new FrozenVertex(first.clone()));
        original.getVertexInputs().put("frozen", original.getVertexInputs().get("lstm"));
        original.setIterationCount(7);
        original.setEpochCount(2);
        String json = original.toJson();
        ComputationGraphConfiguration copy =
                ConfigurationCopies.of(original, UnaryOperator.identity(), UnaryOperator.identity());
        assertEquals(json, copy.toJson());
        for (Bf16Policy policy : Bf16Policy.values()) {
            policy.apply(original);
            assertEquals(json, original.toJson(), policy.toString());
        }
        var copied = (LayerVertex) copy.getVertices().get("lstm");
        assertTrue(copied.isOutputVertex());
        assertNotSame(first.getLayerConf().getLayer(), copied.getLayerConf().getLayer());
        assertEquals(
                ((AttentionVertex) original.getVertices().get("attention")).getUpdater(),
                ((AttentionVertex) copy.getVertices().get("attention")).getUpdater());
    }

    /** What the caller keeps is a FLOAT network with stock Adam, before and after. */
    @Test
    void theOriginalTrainsAsIfThereWereNoPolicy() {
        var untouched = TestNetworks.network(TestNetworks.mlpConfiguration(new Adam(1e-2), DataType.FLOAT));
        var configuration = TestNetworks.mlpConfiguration(new Adam(1e-2), DataType.FLOAT);
        var narrow = TestNetworks.network(Bf16Policy.SR.apply(configuration));
        var wide = TestNetworks.network(configuration);
        TestNetworks.fit(narrow, 5);
        TestNetworks.fit(untouched, 5);
        TestNetworks.fit(wide.clone(), 1);
        TestNetworks.fit(wide, 5);
        assertEquals(DataType.BFLOAT16, narrow.params().dataType());
        assertEquals(untouched.params(), wide.params());
    }

    /** The policy's updaters are its own, so that a learning rate set later stays in its network. */
    @Test
    void updatersAreNotShared() {
        var configuration = TestNetworks.mlpConfiguration(new Sgd(0.5), DataType.FLOAT);
        TestNetworks.network(Bf16Policy.NEAREST.apply(configuration)).setLearningRate(0.125);
        assertEquals(0.5, TestNetworks.network(configuration).getLearningRate(0));
    }

    /** Lambda vertices have no parameters, and define their inputs only once they know the network's type. */
    @Test
    void lambdaVertices() {
        for (Bf16Policy policy : Bf16Policy.values()) {
            var graph = new ComputationGraph(policy.apply(lambdas()));
            graph.init();
            double before = TestNetworks.loss(graph);
            TestNetworks.fit(graph, 20);
            assertTrue(TestNetworks.loss(graph) < before);
        }
    }

    private static ComputationGraphConfiguration lambdas() {
        return TestNetworks.builder(new Adam(1e-2))
                .graphBuilder()
                .addInputs("in")
                .addLayer("a", TestNetworks.dense(TestNetworks.INPUTS, 8), "in")
                .addLayer("b", TestNetworks.dense(TestNetworks.INPUTS, 8), "in")
                .addVertex("product", new Product(), "a", "b")
                .addVertex(
                        "sum",
                        new SameDiffLambdaVertex() {
                            @Override
                            public SDVariable defineVertex(SameDiff sameDiff, VertexInputs inputs) {
                                return inputs.getInput(0).add(inputs.getInput(1));
                            }
                        },
                        "product",
                        "a")
                .addLayer("out", TestNetworks.output(8), "sum")
                .setOutputs("out")
                .build();
    }

    /** Multiplies its two inputs. */
    public static final class Product extends SameDiffLambdaVertex {
        @Override
        public SDVariable defineVertex(SameDiff sameDiff, VertexInputs inputs) {
            return inputs.getInput(0).mul(inputs.getInput(1));
        }
    }
}
