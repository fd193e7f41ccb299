package org.dl4jsr.examples.run;

import java.nio.file.Path;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.io.Bytes;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.TextTable;
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
                        Texts.format(
                                "%s: %d layers, width %d, %d heads, context %d, vocabulary %,d, %s head",
                                config.model().preset(),
                                config.model().layers(),
                                config.model().width(),
                                config.model().heads(),
                                config.model().context(),
                                config.model().vocabulary(),
                                config.model().tiedHead() ? "tied" : "own"))
                .row("Parameters", Texts.format("%,d", config.model().parameters()))
                .row(
                        "Begins with",
                        config.weights().areRandom()
                                ? "random weights"
                                : config.weights().path())
                .row("Policy", config.policy())
                .row("Data type", dataType(config.bf16Policy()))
                .row("Rounding", rounding(config.bf16Policy()))
                .row(
                        "Model state",
                        Texts.format(
                                "%s, %d bytes a parameter",
                                Bytes.format(plan.modelState()),
                                plan.modelState() / config.model().parameters()))
                .row(
                        "Memory",
                        "about " + Bytes.format(plan.total()) + " in all, " + Bytes.format(MachineMemory.available())
                                + " available")
                .row("Kernels", runtime.kernels())
                .row("Matmul", runtime.matmul())
                .row("Threads", runtime.threads())
                .row(
                        "Optimizer",
                        Texts.format(
                                "AdamW, beta1 %s, beta2 %s, epsilon %s, weight decay %s on matrices, clip %s",
                                RunConfig.BETA1,
                                RunConfig.BETA2,
                                RunConfig.EPSILON,
                                RunConfig.WEIGHT_DECAY,
                                RunConfig.CLIP))
                .row(
                        "Learning rate",
                        Texts.format(
                                "%s after %,d steps of warmup, then a cosine down to %s",
                                config.learningRate(), config.warmupSteps(), (float)
                                        (RunConfig.FINAL_SHARE * config.learningRate())))
                .row(
                        "Batch",
                        Texts.format(
                                "%d windows x %d passes x %d tokens = %,d tokens a step",
                                config.budget().batch(),
                                config.budget().accumulate(),
                                config.model().context(),
                                config.tokensPerStep()))
                .row(
                        "Tokens to do",
                        Texts.format(
                                "%,d in %,d steps", (long) config.steps() * config.tokensPerStep(), config.steps()))
                .row(
                        "Text",
                        Texts.format(
                                "%s: %,d files, %s", corpus.source(), corpus.documents(), Bytes.format(corpus.bytes())))
                .row(
                        "Tokens",
                        Texts.format(
                                "%,d for training, %,d for validation, tokenizer %s",
                                corpus.train().length(),
                                corpus.validation().length(),
                                config.text().tokenizer()))
                .row("Seed", config.seed())
                .row("Run directory", directory);
    }

    static String dataType(Bf16Policy policy) {
        return switch (policy) {
            case FP32 -> "weights, gradients and Adam's state in FP32";
            case O1 -> "weights, gradients and Adam's state in FP32; matrix multiplication in BF16 (autocast)";
            case O2 -> "weights and gradients in BF16; master weights and Adam's state in FP32";
            case KAHAN -> "weights, gradients, Adam's state and a compensation of each weight in BF16";
            case NEAREST, SR -> "weights, gradients and Adam's state in BF16";
        };
    }

    static String rounding(Bf16Policy policy) {
        return switch (policy) {
            case FP32, O1 -> "none: FP32 weights are written exactly";
            case O2 -> "weights to nearest, from their masters";
            case NEAREST -> "weights to nearest";
            case KAHAN -> "weights to nearest, with compensation";
            case SR -> "weights stochastically";
        };
    }
}
