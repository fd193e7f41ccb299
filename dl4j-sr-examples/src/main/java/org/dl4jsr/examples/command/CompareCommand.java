package org.dl4jsr.examples.command;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.run.Comparison;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.RunDirectory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code compare}: the same training run under each policy and seed, or each policy, learning rate and seed. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains the same model under several policies and compares what comes out.")
public final class CompareCommand implements Callable<Integer> {

    private static final int MOST_SEEDS = 1000;

    @Mixin
    private TrainingOptions training = new TrainingOptions();

    @Option(names = "--policies", paramLabel = "NAME", split = ",", description = "Policies (default: all six).")
    private List<String> policies = new PolicyNames();

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "Runs a policy, with seeds from --seed up (default: ${DEFAULT-VALUE}).")
    private int seeds = 3;

    @Option(names = "--lrs", paramLabel = "X", split = ",", description = "Learning rates to sweep, instead of --lr.")
    private List<Double> learningRates = List.of();

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Directory for CSV and report (default: runs/compare-PRESET-TIME).")
    private Path out;

    @Override
    public Integer call() {
        List<RunConfig> configs = configs();
        String preset = configs.get(0).model().preset();
        Path directory = Objects.requireNonNullElseGet(out, () -> RunDirectory.newPath("compare-" + preset));
        Comparison.run(configs, directory, !learningRates.isEmpty(), training.tokenCache(directory));
        return 0;
    }

    /** All runs, in the order in which they go: the policies take turns, so that a comparison cut short is still one. */
    private List<RunConfig> configs() {
        BadInput.requireRange("--seeds", seeds, MOST_SEEDS);
        PolicyNames.requireSome(policies);
        RunConfig base = training.config();
        List<Double> rates = learningRates.isEmpty() ? List.of(base.learningRate()) : learningRates;
        List<RunConfig> configs = new ArrayList<>();
        for (int seed = 0; seed < seeds; seed++) {
            for (double rate : rates) {
                for (String policy : policies) {
                    configs.add(base.withPolicy(policy).withLearningRate(rate).withSeed(base.seed() + seed));
                }
            }
        }
        if (configs.stream().distinct().count() < configs.size()) {
            throw new BadInput("--policies or --lrs names something twice");
        }
        return configs;
    }
}
