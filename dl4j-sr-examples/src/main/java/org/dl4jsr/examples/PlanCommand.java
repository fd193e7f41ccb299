package org.dl4jsr.examples;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.dl4jsr.policy.Bf16Policy;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code plan}: the memory of a preset under each policy, without allocating it. */
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        description = "Says how much memory a model needs under each policy, without allocating it.")
final class PlanCommand implements Callable<Integer> {

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Override
    public Integer call() {
        RunConfig config = model.config("bf16-sr", List.of(), null, null, null);
        System.out.printf(
                Locale.ROOT,
                "%s: %,d parameters, %d layers, width %d, %d heads, context %d, vocabulary %,d," + " batch %d x %d%n%n",
                config.preset(),
                config.parameters(),
                config.layers(),
                config.width(),
                config.heads(),
                config.context(),
                config.vocabulary(),
                config.batch(),
                config.accumulate());
        TextTable table = new TextTable()
                .row(
                        "policy",
                        "bytes/parameter",
                        "weights",
                        "gradients",
                        "optimizer",
                        "model state",
                        "accumulation",
                        "activations",
                        "Java",
                        "total");
        for (Bf16Policy policy : Bf16Policy.values()) {
            MemoryPlan plan = MemoryPlan.of(model.config(policy.toString(), List.of(), null, null, null));
            table.row(
                    policy,
                    policy.modelStateBytes(),
                    Bytes.format(plan.weights()),
                    Bytes.format(plan.gradients()),
                    Bytes.format(plan.optimizer()),
                    Bytes.format(plan.modelState()),
                    Bytes.format(plan.accumulation()),
                    Bytes.format(plan.activations()),
                    Bytes.format(plan.java()),
                    Bytes.format(plan.total()));
        }
        System.out.print(table);
        return 0;
    }
}
