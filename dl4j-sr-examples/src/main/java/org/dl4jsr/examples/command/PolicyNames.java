package org.dl4jsr.examples.command;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.policy.Bf16Policy;

/** The names of all policies. */
final class PolicyNames extends ArrayList<String> {

    private static final long serialVersionUID = 1;

    PolicyNames() {
        super(Arrays.stream(Bf16Policy.values()).map(Bf16Policy::toString).toList());
    }

    /** Refuses what a lone comma names. */
    static void requireSome(List<String> policies) {
        if (policies.isEmpty()) {
            throw new BadInput("--policies names none: choose from " + String.join(", ", new PolicyNames()));
        }
    }
}
