package org.dl4jsr.benchmarks.families;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.dl4jsr.policy.Bf16Policy;

/**
 * Moves every parameter of every kind of layer in thousands of small steps under every BF16 policy and prints how far
 * each family's parameters have come, in Markdown; exits with 1 if one stalls.
 */
public final class StallingTable {

    private static final int STEPS = 2000;

    private StallingTable() {}

    public static void main(String[] arguments) {
        System.out.println("| family | policy | parameters | least | most |");
        System.out.println("|---|---|---|---|---|");
        int stalled = 0;
        List<Family> families = Families.ofAllParameters();
        for (Family family : families) {
            for (Bf16Policy policy : List.of(Bf16Policy.SR, Bf16Policy.O2, Bf16Policy.KAHAN, Bf16Policy.NEAREST)) {
                List<SmallSteps> steps = SmallSteps.of(family, policy, STEPS);
                String failure = SmallSteps.failure(steps, policy);
                stalled += failure == null ? 0 : 1;
                System.out.printf(
                        Locale.ROOT,
                        "| %s%s | %s | %d | %.2f | %.2f |%n",
                        family.name(),
                        failure == null ? "" : " **stalls**",
                        policy,
                        steps.size(),
                        shares(steps).min(Comparator.naturalOrder()).orElse(Double.NaN),
                        shares(steps).max(Comparator.naturalOrder()).orElse(Double.NaN));
            }
        }
        System.out.printf(Locale.ROOT, "%n%d families, %d stalled%n", families.size(), stalled);
        System.exit(stalled == 0 ? 0 : 1);
    }

    private static Stream<Double> shares(List<SmallSteps> steps) {
        return steps.stream().map(SmallSteps::share);
    }
}
