package org.dl4jsr.benchmarks.families;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A network learns one task, then with its first layer frozen and a new head another, in BF16 as in FLOAT. */
@Tag("slow")
class TransferLearningTest {

    private static final int CLASSES = 2;
    private static final Family FIRST_TASK = Family.chain(
            "", Tasks.patterns(8), InputType.feedForward(8), Layers.dense(12), Layers.dense(12), Layers.classifier());
    private static final INDArray FEATURES = FIRST_TASK.data().getFeatures(0);
    /** Whether it is one class or one of the others. */
    private static final INDArray LABELS =
            FIRST_TASK.data().getLabels(0).mmul(Nd4j.create(new float[][] {{1, 0}, {0, 1}, {0, 1}}));

    @Test
    void networks() {
        double wide = lossAfterBoth(Bf16Policy.FP32);
        double narrow = lossAfterBoth(Bf16Policy.SR);
        assertTrue(wide < 0.3, "FLOAT learns from about log 2: " + wide);
        assertEquals(wide, narrow, 0.02);
    }

    @Test
    void graphs() {
        double wide = lossOfGraphAfterBoth(Bf16Policy.FP32);
        double narrow = lossOfGraphAfterBoth(Bf16Policy.SR);
        assertTrue(wide < 0.3, "FLOAT learns from about log 2: " + wide);
        assertEquals(wide, narrow, 0.02);
    }

    private static double lossAfterBoth(Bf16Policy policy) {
        var first = new MultiLayerNetwork(policy.apply(FIRST_TASK.network().apply(builder())));
        first.init();
        for (int i = 0; i < 100; i++) {
            first.fit(FEATURES, FIRST_TASK.data().getLabels(0));
        }
        MultiLayerNetwork second = policy.convert(new TransferLearning.Builder(first)
                .fineTuneConfiguration(fineTuning())
                .setFeatureExtractor(0)
                .removeOutputLayer()
                .addLayer(head())
                .build());
        assertEquals(policy.dataType(), second.params().dataType());
        INDArray frozen = second.getLayer(0).params().dup();
        assertEquals(first.getLayer(0).params(), frozen);
        for (int i = 0; i < 100; i++) {
            second.fit(FEATURES, LABELS);
        }
        assertEquals(frozen, second.getLayer(0).params());
        return second.score(new DataSet(FEATURES, LABELS));
    }

    private static double lossOfGraphAfterBoth(Bf16Policy policy) {
        var first = new ComputationGraph(policy.apply(FIRST_TASK.graph().apply(builder())));
        first.init();
        for (int i = 0; i < 100; i++) {
            first.fit(FIRST_TASK.data());
        }
        ComputationGraph second = policy.convert(new TransferLearning.GraphBuilder(first)
                .fineTuneConfiguration(fineTuning())
                .setFeatureExtractor("layer0")
                .removeVertexAndConnections("layer2")
                .addLayer("head", head(), "layer1")
                .setOutputs("head")
                .build());
        assertEquals(policy.dataType(), second.params().dataType());
        INDArray frozen = second.getLayer("layer0").params().dup();
        assertEquals(first.getLayer("layer0").params(), frozen);
        var data = new DataSet(FEATURES, LABELS);
        for (int i = 0; i < 100; i++) {
            second.fit(data);
        }
        assertEquals(frozen, second.getLayer("layer0").params());
        return second.score(data);
    }

    private static NeuralNetConfiguration.Builder builder() {
        return new NeuralNetConfiguration.Builder().seed(1).updater(new Adam(5e-3));
    }

    private static FineTuneConfiguration fineTuning() {
        return new FineTuneConfiguration.Builder()
                .seed(2)
                .updater(new Adam(5e-3))
                .build();
    }

    private static OutputLayer head() {
        return new OutputLayer.Builder(LossFunction.MCXENT)
                .nIn(12)
                .nOut(CLASSES)
                .activation(Activation.SOFTMAX)
                .build();
    }
}
