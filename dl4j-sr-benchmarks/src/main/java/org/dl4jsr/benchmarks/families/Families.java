package org.dl4jsr.benchmarks.families;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;

/** All families. */
final class Families {

    private Families() {}

    /** Every family, but of the losses each once, at the end of one kind of network. */
    static List<Family> representative() {
        var families = new ArrayList<>(layers());
        families.addAll(LossFamilies.representative());
        return families;
    }

    /** Every family, with every loss at the end of every kind of network. */
    static List<Family> all() {
        var families = new ArrayList<>(layers());
        families.addAll(LossFamilies.all());
        return families;
    }

    /** One family for each set of parameters that a kind of layer or vertex has. */
    static List<Family> ofAllParameters() {
        var families = new ArrayList<Family>();
        var seen = new HashSet<String>();
        for (Family family : representative()) {
            if (seen.addAll(parameters(family))) {
                families.add(family);
            }
        }
        return families;
    }

    private static Set<String> parameters(Family family) {
        var graph = new ComputationGraph(family.graph().apply(new NeuralNetConfiguration.Builder()));
        graph.init();
        Set<String> parameters = new HashSet<>();
        for (var vertex : graph.getVertices()) {
            if (vertex.numParams() > 0) {
                Class<?> type = vertex.hasLayer() ? vertex.getLayer().getClass() : vertex.getClass();
                parameters.add(type.getName() + vertex.paramTable(false).keySet() + family.pretrained());
            }
        }
        return parameters;
    }

    private static List<Family> layers() {
        var families = new ArrayList<Family>();
        families.addAll(FeedForwardFamilies.all());
        families.addAll(ConvolutionFamilies.all());
        families.addAll(VolumeFamilies.all());
        families.addAll(DeepFamilies.all());
        families.addAll(RecurrentFamilies.all());
        families.addAll(AttentionFamilies.all());
        families.addAll(SameDiffFamilies.all());
        families.addAll(UnsupervisedFamilies.all());
        families.addAll(VertexFamilies.all());
        families.addAll(TrainingFamilies.all());
        return families;
    }
}
