package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Family.chain;
import static org.dl4jsr.benchmarks.families.Family.graph;
import static org.dl4jsr.benchmarks.families.Layers.classifier;
import static org.dl4jsr.benchmarks.families.Layers.stepClassifier;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.graph.AttentionVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/** Attention over short sequences. */
final class AttentionFamilies {

    private static final int SIZE = 4;
    private static final InputType SEQUENCE = InputType.recurrent(SIZE, Tasks.STEPS);

    private AttentionFamilies() {}

    static List<Family> all() {
        var families = new ArrayList<Family>();
        families.add(chain(
                "SelfAttention",
                Tasks.patterns(SIZE, Tasks.STEPS),
                SEQUENCE,
                new SelfAttentionLayer.Builder()
                        .nOut(6)
                        .nHeads(2)
                        .headSize(3)
                        .projectInput(true)
                        .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                classifier()));
        families.add(chain(
                "SelfAttention without projection",
                Tasks.patterns(SIZE, Tasks.STEPS),
                SEQUENCE,
                new LSTM.Builder().nOut(6).build(),
                new SelfAttentionLayer.Builder()
                        .nIn(6)
                        .nOut(6)
                        .nHeads(1)
                        .projectInput(false)
                        .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                classifier()));
        families.add(chain(
                "SelfAttention with masks",
                masked(),
                SEQUENCE,
                new SelfAttentionLayer.Builder()
                        .nOut(6)
                        .nHeads(2)
                        .headSize(3)
                        .projectInput(true)
                        .build(),
                new GlobalPoolingLayer(PoolingType.AVG),
                classifier()));
        families.add(chain(
                "RecurrentAttention",
                Tasks.steps(SIZE),
                SEQUENCE,
                new RecurrentAttentionLayer.Builder()
                        .nOut(6)
                        .nHeads(2)
                        .projectInput(true)
                        .hasBias(true)
                        .activation(Activation.TANH)
                        .build(),
                stepClassifier()));
        families.add(graph(
                "AttentionVertex",
                Tasks.patterns(SIZE, Tasks.STEPS),
                graph -> graph.addLayer("queries", new LSTM.Builder().nOut(5).build(), "in")
                        .addVertex(
                                "attention",
                                new AttentionVertex.Builder()
                                        .nInQueries(5)
                                        .nInKeys(SIZE)
                                        .nInValues(SIZE)
                                        .nHeads(2)
                                        .headSize(3)
                                        .nOut(6)
                                        .projectInput(true)
                                        .build(),
                                "queries",
                                "in",
                                "in")
                        .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "attention")
                        .addLayer("out", classifier(), "pool")
                        .setOutputs("out"),
                SEQUENCE));
        return families;
    }

    private static MultiDataSet masked() {
        MultiDataSet data = Tasks.patterns(SIZE, Tasks.STEPS);
        return new MultiDataSet(data.getFeatures(), data.getLabels(), new INDArray[] {Tasks.lengths()}, null);
    }
}
