package org.dl4jsr.examples;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code plan}: the memory of a preset under each policy, without allocating it. */
@Command(name = "plan", mixinStandardHelpOptions = true,
        description = "Says how much memory a model needs under each policy, without allocating it.")
final class PlanCommand implements Callable<Integer> {

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Override
    public Integer call() {
        RunConfig config = model.config("bf16-sr", List.of(), null, null, null);
        System.out.printf("%s: %,d parameters, %d layers, width %d, %d heads, context %d, vocabulary %,d, batch %d x %d%n",
                config.preset(), config.parameters(), config.layers(), config.width(), config.heads(),
                config.context(), config.vocabulary(), config.batch(), config.accumulate());
        TextTable table = new TextTable().row("policy", "bytes/parameter", "weights", "gradients", "optimizer",
                "model state", "accumulation", "activations", "Java", "total");
        for (String policy : List.of("fp32", "bf16-o1", "bf16-o2", "bf16-nearest", "bf16-kahan", "bf16-sr")) {
            MemoryPlan plan = MemoryPlan.of(model.config(policy, List.of(), null, null, null));
            table.row(policy, plan.modelState() / config.parameters(), Bytes.format(plan.weights()),
                    Bytes.format(plan.gradients()), Bytes.format(plan.optimizer()), Bytes.format(plan.modelState()),
                    Bytes.format(plan.accumulation()), Bytes.format(plan.activations()), Bytes.format(plan.java()), Bytes.format(plan.total()));
        }
        System.out.print(table);
        return 0;
    }
}
