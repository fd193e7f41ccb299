package org.dl4jsr.benchmarks.families;

import java.util.ArrayList;
import java.util.List;

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

    private static List<Family> layers() {
        var families = new ArrayList<Family>();
        families.addAll(FeedForwardFamilies.all());
        families.addAll(ConvolutionFamilies.all());
        families.addAll(RecurrentFamilies.all());
        families.addAll(AttentionFamilies.all());
        families.addAll(SameDiffFamilies.all());
        families.addAll(UnsupervisedFamilies.all());
        families.addAll(VertexFamilies.all());
        families.addAll(TrainingFamilies.all());
        return families;
    }
}
