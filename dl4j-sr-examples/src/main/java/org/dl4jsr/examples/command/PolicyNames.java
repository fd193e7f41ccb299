package org.dl4jsr.examples.command;

import java.util.ArrayList;
import java.util.Arrays;
import org.dl4jsr.policy.Bf16Policy;

/** The names of all policies. */
final class PolicyNames extends ArrayList<String> {

    private static final long serialVersionUID = 1;

    PolicyNames() {
        super(Arrays.stream(Bf16Policy.values()).map(Bf16Policy::toString).toList());
    }
}
