package org.dl4jsr.benchmarks.families;

import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every family trains in BF16 with stochastic rounding as in FLOAT. To be quick, for few iterations, and families that
 * both network classes have take turns between them; {@link FamilyTable} trains all in both, for 100.
 */
@Tag("slow")
class FamiliesTest {

    private static final int ITERATIONS = 25;

    @ParameterizedTest(name = "{0} in a {1}")
    @MethodSource
    void bf16LearnsAsFloatDoes(Family family, String networkClass) {
        Twins twins = networkClass.equals("ComputationGraph")
                ? Twins.graphs(family, ITERATIONS, Twins.Implementation.OURS)
                : Twins.networks(family, ITERATIONS, Twins.Implementation.OURS);
        assertNull(twins.failure(family));
    }

    static Stream<Arguments> bf16LearnsAsFloatDoes() {
        List<Family> families = Families.representative();
        return IntStream.range(0, families.size()).mapToObj(i -> {
            boolean graph = families.get(i).network() == null || i % 2 == 1;
            return Arguments.of(families.get(i), graph ? "ComputationGraph" : "MultiLayerNetwork");
        });
    }
}
