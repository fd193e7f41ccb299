package org.dl4jsr.examples.run;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.policy.Bf16Policy;

/**
 * A model size with the defaults that suit it. The GPT-2 and GPT-Neo sizes have their papers' shapes, GPT-3's learning
 * rates (Brown et al., arXiv 2005.14165, table 2.1) and 20 tokens a parameter (Hoffmann et al., arXiv 2203.15556).
 */
public enum Preset {
    NANO("nano", 4, 4, 128, 128, "bytes", false, 2_000_000, 16, 1, 2e-3),
    SMALL("small", 6, 6, 384, 256, "bytes", false, 10_000_000, 8, 1, 1e-3),
    GPT2_124M("gpt2-124m", 12, 12, 768, 1024, "gpt2", true, 2_500_000_000L, 4, 16, 6e-4),
    GPT2_350M("gpt2-350m", 24, 16, 1024, 1024, "gpt2", true, 7_000_000_000L, 4, 16, 3e-4),
    GPT2_774M("gpt2-774m", 36, 20, 1280, 1024, "gpt2", true, 15_500_000_000L, 4, 16, 2.5e-4),
    GPT_NEO_1_3B("gpt-neo-1.3b", 24, 16, 2048, 2048, "gpt2", true, 26_000_000_000L, 2, 16, 2e-4);

    private final RunConfig config;

    Preset(
            String name,
            int layers,
            int heads,
            int width,
            int context,
            String tokenizer,
            boolean tiedHead,
            long tokens,
            int batch,
            int accumulate,
            double learningRate) {
        config = new RunConfig(
                new ModelShape(name, layers, heads, width, context, RunConfig.paddedVocabulary(tokenizer), tiedHead),
                TrainingText.unread(List.of(), "text", tokenizer),
                new TrainingBudget(tokens, batch, accumulate),
                Bf16Policy.SR.toString(),
                learningRate,
                RunConfig.BETA2,
                1,
                StartingWeights.RANDOM);
    }

    public static Preset named(String name) {
        return Arrays.stream(values())
                .filter(preset -> preset.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInput("Unknown preset '" + name + "': choose one of "
                        + Arrays.stream(values()).map(Preset::toString).collect(Collectors.joining(", "))));
    }

    /** A run of this size: bf16-sr on the default corpus, with seed 1. */
    public RunConfig config() {
        return config;
    }

    /** The name on the command line. */
    @Override
    public String toString() {
        return config.model().preset();
    }
}
