package org.dl4jsr.examples.study;

import java.util.List;
import java.util.stream.Collectors;
import org.dl4jsr.examples.io.BadInput;

/** An experiment on one claim. */
public interface Study {

    List<Study> ALL = List.of(
            new RegularizationStudy(),
            new StagnationStudy(),
            new ConvergenceStudy(),
            new LearningRateStudy(),
            new ReplicasStudy(),
            new MomentsStudy());

    /** The study of that name. */
    static Study named(String name) {
        return ALL.stream()
                .filter(study -> study.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInput("Unknown study '" + name + "': choose one of "
                        + ALL.stream().map(Study::name).collect(Collectors.joining(", "))));
    }

    /** What users call it. */
    String name();

    /** One line: what is looked at. */
    String title();

    /** What the paper claims, in our words, and how it is put to the test. */
    String claim();

    /**
     * Makes the experiment.
     *
     * @param seed the outcome is a function of it
     * @param divisor of the experiment's size: 1 for all of it, 100 for a hundredth
     */
    Findings run(long seed, int divisor);
}
