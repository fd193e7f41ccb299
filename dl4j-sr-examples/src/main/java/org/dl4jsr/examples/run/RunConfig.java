package org.dl4jsr.examples.run;

import org.dl4jsr.examples.data.Tokenizer;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.WarmupCosineSchedule;

/**
 * Everything that decides the outcome of a run; {@code config.json} is this record. Begins as {@link Preset#config}.
 *
 * @param policy name of the data-type policy
 * @param learningRate at the end of the warmup
 * @param beta2 of Adam, how much of its mean of squared gradients stays at a step
 * @param seed of weights, data order and rounding
 * @param weights that it begins with
 */
public record RunConfig(
        ModelShape model,
        TrainingText text,
        TrainingBudget budget,
        String policy,
        double learningRate,
        double beta2,
        long seed,
        StartingWeights weights) {

    static final double BETA1 = 0.9;
    /** {@link #beta2}, where nobody says another. */
    static final double BETA2 = 0.95;

    static final double EPSILON = 1e-8;
    static final double WEIGHT_DECAY = 0.1;
    static final double CLIP = 1.0;
    /** The learning rate at the end, as a share of {@link #learningRate}. */
    static final double FINAL_SHARE = 0.1;

    /** Of metrics, about. */
    private static final int ROWS = 200;

    private static final int LONGEST_WARMUP = 2000;
    private static final long MOST_TOKENS_A_STEP = 1L << 30;

    public RunConfig {
        try {
            Bf16Policy.named(policy);
        } catch (IllegalArgumentException e) {
            throw new BadInput(e.getMessage(), e);
        }
        if (!(learningRate > 0 && learningRate <= 1)) {
            throw new BadInput("--lr " + learningRate + " is out of range: expected more than 0 and at most 1");
        }
        if (!(beta2 >= 0 && beta2 < 1)) {
            throw new BadInput("--beta2 " + beta2 + " is out of range: expected at least 0 and less than 1");
        }
        long tokensPerStep = (long) budget.batch() * budget.accumulate() * model.context();
        if (tokensPerStep > MOST_TOKENS_A_STEP) {
            throw new BadInput("--batch x --accumulate x --context is " + tokensPerStep + " tokens a step, more than "
                    + MOST_TOKENS_A_STEP + ": make one of them smaller");
        }
        if (budget.tokens() / tokensPerStep >= Integer.MAX_VALUE) {
            throw new BadInput("--tokens " + budget.tokens() + " is over two billion steps of " + tokensPerStep
                    + " tokens: ask for fewer tokens or larger batches");
        }
    }

    /** Tokens of one step. */
    public int tokensPerStep() {
        return budget.batch() * budget.accumulate() * model.context();
    }

    /** Steps of the whole run. */
    public int steps() {
        return (int) ((budget.tokens() + tokensPerStep() - 1) / tokensPerStep());
    }

    /** Steps a row of metrics. */
    int rowEvery() {
        return Math.max(1, steps() / ROWS);
    }

    /** Steps of linear warmup: a tenth of the run, at most 2,000. */
    int warmupSteps() {
        return Math.min(LONGEST_WARMUP, steps() / 10);
    }

    /** The learning rate: linear warmup, then a cosine down to {@link #FINAL_SHARE} of the peak. */
    WarmupCosineSchedule schedule() {
        return new WarmupCosineSchedule(warmupSteps(), steps(), learningRate, FINAL_SHARE * learningRate);
    }

    /** What {@link #policy} names. */
    public Bf16Policy bf16Policy() {
        return Bf16Policy.named(policy);
    }

    public RunConfig withModel(ModelShape newModel) {
        return new RunConfig(newModel, text, budget, policy, learningRate, beta2, seed, weights);
    }

    public RunConfig withText(TrainingText newText) {
        return new RunConfig(model, newText, budget, policy, learningRate, beta2, seed, weights);
    }

    /** With another tokenizer, and the vocabulary that it needs. */
    public RunConfig withTokenizer(String name) {
        return withText(text.withTokenizer(name)).withModel(model.withVocabulary(paddedVocabulary(name)));
    }

    public RunConfig withBudget(TrainingBudget newBudget) {
        return new RunConfig(model, text, newBudget, policy, learningRate, beta2, seed, weights);
    }

    public RunConfig withPolicy(String newPolicy) {
        return new RunConfig(model, text, budget, newPolicy, learningRate, beta2, seed, weights);
    }

    public RunConfig withLearningRate(double newLearningRate) {
        return new RunConfig(model, text, budget, policy, newLearningRate, beta2, seed, weights);
    }

    public RunConfig withBeta2(double newBeta2) {
        return new RunConfig(model, text, budget, policy, learningRate, newBeta2, seed, weights);
    }

    public RunConfig withSeed(long newSeed) {
        return new RunConfig(model, text, budget, policy, learningRate, beta2, newSeed, weights);
    }

    public RunConfig withWeights(StartingWeights newWeights) {
        return new RunConfig(model, text, budget, policy, learningRate, beta2, seed, newWeights);
    }

    /** A multiple of 64 suits the matrix multiplication; the ids past the tokenizer's never occur. */
    static int paddedVocabulary(String tokenizer) {
        return (Tokenizer.named(tokenizer).vocabulary() + 63) / 64 * 64;
    }
}
