package org.dl4jsr.benchmarks.families;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every parameter that a layer or vertex of DL4J moves goes as far in small steps as in FLOAT. Policies take turns;
 * {@link StallingTable} has all families under each, for thousands of steps.
 */
@Tag("slow")
class StallingTest {

    private static final List<Bf16Policy> POLICIES =
            List.of(Bf16Policy.SR, Bf16Policy.NEAREST, Bf16Policy.O2, Bf16Policy.KAHAN);

    private static final int STEPS = 500;

    static Stream<Arguments> nothingStalls() {
        List<Family> families = Families.ofAllParameters();
        return IntStream.range(0, families.size())
                .mapToObj(i -> Arguments.of(families.get(i), POLICIES.get(i % POLICIES.size())));
    }

    @ParameterizedTest(name = "{0} under {1}")
    @MethodSource
    void nothingStalls(Family family, Bf16Policy policy) {
        List<SmallSteps> steps = SmallSteps.of(family, policy, STEPS);
        assertFalse(steps.isEmpty(), "FLOAT moves nothing");
        assertNull(SmallSteps.failure(steps, policy));
    }

    /** Else the steps are not small. */
    @Test
    void weightsStallUnderNearest() {
        List<SmallSteps> steps = SmallSteps.of(Families.representative().get(0), Bf16Policy.NEAREST, STEPS);
        assertTrue(steps.stream().anyMatch(step -> step.share() < 0.5), steps::toString);
    }
}
