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
import picocli.CommandLine.Option;

/** {@code plan}: the memory of a preset under each policy, without allocating it. */
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        description =
                "Says how much memory a model needs under each policy, on one machine or a rank, without allocating it.")
public final class PlanCommand implements Callable<Integer> {

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--workers",
            paramLabel = "N",
            description = "For each of N ranks, and what it sends in a step (default: 1).")
    private int workers = 1;

    @Override
    public Integer call() {
        RunConfig config = model.config();
        config.budget().requireWorkers(workers);
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
        if (workers > 1) {
            System.out.println(workers + " ranks; what follows is for each");
        }
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
                        "total",
                        "sent a step");
        for (Bf16Policy policy : Bf16Policy.values()) {
            RunConfig under = config.withPolicy(policy.toString());
            MemoryPlan plan = MemoryPlan.of(under, workers);
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
                    Bytes.format(plan.total()),
                    Bytes.format(MemoryPlan.cost(under, workers).sent()));
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
