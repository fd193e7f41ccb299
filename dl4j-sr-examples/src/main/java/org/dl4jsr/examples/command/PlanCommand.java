package org.dl4jsr.examples.command;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.dl4jsr.examples.io.Bytes;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.run.MemoryPlan;
import org.dl4jsr.examples.run.ModelShape;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.policy.Bf16Policy;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code plan}: the memory of a preset under each policy, without allocating it. */
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        description = "Says how much memory a model needs under each policy, without allocating it.")
public final class PlanCommand implements Callable<Integer> {

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Override
    public Integer call() {
        RunConfig config = model.config();
        ModelShape shape = config.model();
        System.out.println(Texts.format(
                "%s: %,d parameters, %d layers, width %d, %d heads, context %d, vocabulary %,d, batch %d x %d%n",
                shape.preset(),
                shape.parameters(),
                shape.layers(),
                shape.width(),
                shape.heads(),
                shape.context(),
                shape.vocabulary(),
                config.budget().batch(),
                config.budget().accumulate()));
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
            MemoryPlan plan = MemoryPlan.of(config.withPolicy(policy.toString()));
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
        List<String> none = Arrays.stream(Bf16Policy.values())
                .map(Bf16Policy::toString)
                .filter(policy -> !MemoryPlan.fitsDl4j(config.withPolicy(policy)))
                .toList();
        if (!none.isEmpty()) {
            System.out.println(Texts.format(
                    "%nDL4J can hold %,d elements of updater state, too few to train this model under %s",
                    Integer.MAX_VALUE, String.join(", ", none)));
        }
        return 0;
    }
}
