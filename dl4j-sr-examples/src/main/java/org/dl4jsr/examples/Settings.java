package org.dl4jsr.examples;

import java.nio.file.Path;
import java.util.Locale;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.policy.Bf16Runtime;

/** The table of every setting in force, shown when a run starts. */
final class Settings {

    private Settings() {}

    static TextTable of(RunConfig config, Corpus corpus, Path directory) {
        MemoryPlan plan = MemoryPlan.of(config);
        Bf16Runtime runtime = Bf16Runtime.current();
        return new TextTable()
                .row(
                        "Model",
                        text(
                                "%s: %d layers, width %d, %d heads, context %d, vocabulary %,d, %s head",
                                config.preset(),
                                config.layers(),
                                config.width(),
                                config.heads(),
                                config.context(),
                                config.vocabulary(),
                                config.tiedHead() ? "tied" : "own"))
                .row("Parameters", text("%,d", config.parameters()))
                .row("Policy", config.policy())
                .row("Data type", dataType(config.bf16Policy()))
                .row("Rounding", rounding(config.bf16Policy()))
                .row(
                        "Model state",
                        text(
                                "%s, %d bytes a parameter",
                                Bytes.format(plan.modelState()), plan.modelState() / config.parameters()))
                .row(
                        "Memory",
                        "about " + Bytes.format(plan.total()) + " in all, " + Bytes.format(MachineMemory.available())
                                + " available")
                .row("Kernels", runtime.kernels())
                .row("Matmul", runtime.matmul())
                .row("Threads", runtime.threads())
                .row(
                        "Optimizer",
                        text(
                                "AdamW, beta1 %s, beta2 %s, epsilon %s, weight decay %s on matrices, clip %s",
                                RunConfig.BETA1,
                                RunConfig.BETA2,
                                RunConfig.EPSILON,
                                RunConfig.WEIGHT_DECAY,
                                RunConfig.CLIP))
                .row(
                        "Learning rate",
                        text(
                                "%s after %,d steps of warmup, then a cosine down to %s",
                                config.learningRate(), config.warmupSteps(), (float)
                                        (RunConfig.FINAL_SHARE * config.learningRate())))
                .row(
                        "Batch",
                        text(
                                "%d windows x %d passes x %d tokens = %,d tokens a step",
                                config.batch(), config.accumulate(), config.context(), config.tokensPerStep()))
                .row(
                        "Tokens to do",
                        text("%,d in %,d steps", (long) config.steps() * config.tokensPerStep(), config.steps()))
                .row(
                        "Text",
                        text("%s: %,d files, %s", corpus.source(), corpus.documents(), Bytes.format(corpus.bytes())))
                .row(
                        "Tokens",
                        text(
                                "%,d for training, %,d for validation, tokenizer %s",
                                corpus.train().length(), corpus.validation().length(), config.tokenizer()))
                .row("Seed", config.seed())
                .row("Run directory", directory);
    }

    private static String dataType(Bf16Policy policy) {
        return switch (policy) {
            case FP32 -> "weights, gradients and Adam's state in FP32";
            case O1 -> "weights, gradients and Adam's state in FP32; matrix multiplication in BF16 (autocast)";
            case O2 -> "weights and gradients in BF16; master weights and Adam's state in FP32";
            case KAHAN -> "weights, gradients, Adam's state and a compensation of each weight in BF16";
            case NEAREST, SR -> "weights, gradients and Adam's state in BF16";
        };
    }

    private static String rounding(Bf16Policy policy) {
        return switch (policy) {
            case FP32, O1 -> "none: FP32 weights are written exactly";
            case O2 -> "weights to nearest, from their masters";
            case NEAREST -> "weights to nearest";
            case KAHAN -> "weights to nearest, with compensation";
            case SR -> "weights stochastically";
        };
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
