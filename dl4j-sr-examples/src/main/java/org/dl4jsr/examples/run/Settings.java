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
        long tokens = (long) config.steps() * config.tokensPerStep();
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
                        "about " + Bytes.format(MachineMemory.needed(plan)) + " in all, "
                                + Bytes.format(MachineMemory.available()) + " available")
                .row("Kernels", runtime.kernels())
                .row("Matmul", runtime.matmul())
                .row("Threads", runtime.threads())
                .row(
                        "Optimizer",
                        Texts.format(
                                "AdamW, beta1 %s, beta2 %s, epsilon %s, weight decay %s on matrices, clip %s",
                                Texts.number(RunConfig.BETA1),
                                Texts.number(config.beta2()),
                                Texts.number(RunConfig.EPSILON),
                                Texts.number(RunConfig.WEIGHT_DECAY),
                                Texts.number(RunConfig.CLIP)))
                .row(
                        "Learning rate",
                        Texts.format(
                                "%s after %s of warmup, then a cosine down to %s",
                                Texts.number(config.learningRate()),
                                Texts.count(config.warmupSteps(), "step"),
                                Texts.number(RunConfig.FINAL_SHARE * config.learningRate())))
                .row(
                        "Batch",
                        Texts.format(
                                "%s x %s x %s = %s a step",
                                Texts.count(config.budget().batch(), "window"),
                                Texts.count(config.budget().accumulate(), "pass"),
                                Texts.count(config.model().context(), "token"),
                                Texts.count(config.tokensPerStep(), "token")))
                .row(
                        "Tokens to do",
                        Texts.format(
                                "%,d in %s, %s times the training text",
                                tokens,
                                Texts.count(config.steps(), "step"),
                                Texts.number((double) tokens / corpus.train().length())))
                .row(
                        "Text",
                        Texts.format(
                                "%s: %s, %s",
                                corpus.source(), Texts.count(corpus.documents(), "file"), Bytes.format(corpus.bytes())))
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
