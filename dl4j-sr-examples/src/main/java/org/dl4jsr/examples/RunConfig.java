package org.dl4jsr.examples;

import java.util.List;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.WarmupCosineSchedule;

/**
 * Everything that decides the outcome of a run; {@code config.json} is this record.
 *
 * @param preset name of the model size
 * @param policy name of the data-type policy
 * @param layers transformer blocks
 * @param heads attention heads a block
 * @param width of the residual stream
 * @param context tokens the model sees at once
 * @param vocabulary rows of the token embedding: the tokenizer's, padded to a multiple of 64
 * @param tiedHead whether the head's matrix is the token embedding
 * @param tokenizer name of the tokenizer
 * @param text absolute paths of the user's text; empty for the default corpus
 * @param textSha256 of the corpus
 * @param tokens to train on; rounded up to whole steps
 * @param batch windows a forward and backward pass
 * @param accumulate passes a step
 * @param learningRate at the end of the warmup
 * @param seed of weights, data order and rounding
 */
record RunConfig(
        String preset,
        String policy,
        int layers,
        int heads,
        int width,
        int context,
        int vocabulary,
        boolean tiedHead,
        String tokenizer,
        List<String> text,
        String textSha256,
        long tokens,
        int batch,
        int accumulate,
        double learningRate,
        long seed) {

    static final double BETA1 = 0.9;
    static final double BETA2 = 0.95;
    static final double EPSILON = 1e-8;
    static final double WEIGHT_DECAY = 0.1;
    static final double CLIP = 1.0;
    /** The learning rate at the end, as a share of {@link #learningRate}. */
    static final double FINAL_SHARE = 0.1;

    private static final int LONGEST_WARMUP = 2000;
    private static final long MOST_TOKENS = 1_000_000_000_000_000L;
    private static final long MOST_TOKENS_A_STEP = 1L << 30;

    RunConfig {
        requirePolicy(policy);
        requireRange("--tokens", tokens, MOST_TOKENS);
        requireRange("--batch", batch, 1 << 16);
        requireRange("--accumulate", accumulate, 1 << 16);
        requireRange("--context", context, 1 << 16);
        if (!(learningRate > 0 && learningRate <= 1)) {
            throw new BadInput("--lr " + learningRate + " is out of range: expected more than 0 and at most 1");
        }
        long tokensPerStep = (long) batch * accumulate * context;
        if (tokensPerStep > MOST_TOKENS_A_STEP) {
            throw new BadInput("--batch x --accumulate x --context is " + tokensPerStep + " tokens a step, more than "
                    + MOST_TOKENS_A_STEP + ": make one of them smaller");
        }
        if (tokens / tokensPerStep >= Integer.MAX_VALUE) {
            throw new BadInput("--tokens " + tokens + " is over two billion steps of " + tokensPerStep
                    + " tokens: ask for fewer tokens or larger batches");
        }
    }

    /** Tokens of one step. */
    int tokensPerStep() {
        return batch * accumulate * context;
    }

    /** Steps of the whole run. */
    int steps() {
        return (int) ((tokens + tokensPerStep() - 1) / tokensPerStep());
    }

    /** Steps of linear warmup: a tenth of the run, at most 2,000. */
    int warmupSteps() {
        return Math.min(LONGEST_WARMUP, steps() / 10);
    }

    /** The learning rate: linear warmup, then a cosine down to {@link #FINAL_SHARE} of the peak. */
    WarmupCosineSchedule schedule() {
        return new WarmupCosineSchedule(warmupSteps(), steps(), learningRate, FINAL_SHARE * learningRate);
    }

    /** Parameters of the model; nothing is allocated. */
    long parameters() {
        return GptNetwork.model(this).build().parameters();
    }

    /**
     * Floating-point operations a token, forward and backward: 6 a weight of every matrix, and in every block 6 a unit
     * of width and token of context for causal attention.
     */
    double flopsPerToken() {
        double block = 12.0 * width * width;
        return 6 * (layers * (block + (double) context * width) + (double) vocabulary * width);
    }

    RunConfig withTextSha256(String sha256) {
        return new RunConfig(
                preset,
                policy,
                layers,
                heads,
                width,
                context,
                vocabulary,
                tiedHead,
                tokenizer,
                text,
                sha256,
                tokens,
                batch,
                accumulate,
                learningRate,
                seed);
    }

    RunConfig with(String newPolicy, long newSeed, double newLearningRate) {
        return new RunConfig(
                preset,
                newPolicy,
                layers,
                heads,
                width,
                context,
                vocabulary,
                tiedHead,
                tokenizer,
                text,
                textSha256,
                tokens,
                batch,
                accumulate,
                newLearningRate,
                newSeed);
    }

    /** Of another shape, on as many windows a pass. */
    RunConfig with(int newLayers, int newHeads, int newWidth, int newContext, int newBatch) {
        return new RunConfig(
                preset,
                policy,
                newLayers,
                newHeads,
                newWidth,
                newContext,
                vocabulary,
                tiedHead,
                tokenizer,
                text,
                textSha256,
                tokens,
                newBatch,
                accumulate,
                learningRate,
                seed);
    }

    /** What {@link #policy} names. */
    Bf16Policy bf16Policy() {
        return Bf16Policy.named(policy);
    }

    private static void requirePolicy(String name) {
        try {
            Bf16Policy.named(name);
        } catch (IllegalArgumentException e) {
            throw new BadInput(e.getMessage(), e);
        }
    }

    private static void requireRange(String option, long value, long most) {
        if (value < 1 || value > most) {
            throw new BadInput(option + " " + value + " is out of range: expected 1 to " + most);
        }
    }
}
