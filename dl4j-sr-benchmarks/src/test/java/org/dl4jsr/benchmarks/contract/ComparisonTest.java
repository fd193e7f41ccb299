package org.dl4jsr.benchmarks.contract;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.function.LongConsumer;
import org.dl4jsr.benchmarks.contract.Comparison.Operation;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.rounding.BFloat16;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Implementations that are wrong in one way each are caught. */
@SuppressWarnings("ReferenceEquality") // a set of kernels tells which processor runs
class ComparisonTest {

    private final HostProcessor oracle = HostProcessor.reference(1);
    private final HostProcessor first = HostProcessor.reference(1);
    private final HostProcessor second = HostProcessor.reference(1);
    private final Comparison comparison =
            new Comparison(oracle, List.of(new Implementation("tried", List.of(first, second))));
    private final Content ones = new RandomArrays(new Random(1)).of(FloatType.BFLOAT16, 100, () -> 1);

    @Test
    void whatIsRightPasses() {
        comparison.same("op", (set, a) -> put(a[0], 3), ones);
        comparison.sameResult("op", (set, a) -> 5, ones);
        comparison.close("op", Bound.ofLargest(0.5), (set, a) -> put(a[0], set == oracle.kernels() ? 1 : 1.25), ones);
    }

    @Test
    void otherBits() {
        assertCaught("element 7 of 100", () -> comparison.same("op", on(second, x -> put(x + 14, 3)), ones));
    }

    @Test
    void otherResults() {
        assertCaught(
                "returned 1, expected 0",
                () -> comparison.sameResult("op", (set, a) -> set == first.kernels() ? 1 : 0, ones));
    }

    @Test
    void tooFar() {
        assertCaught("element 0 is 2.0, expected 1.0", () -> close(first, x -> put(x, 2), 0.5));
        assertCaught("element 0 is NaN", () -> close(first, x -> put(x, Float.NaN), 0.5));
        assertCaught("element 0 is Infinity", () -> close(first, x -> put(x, Float.POSITIVE_INFINITY), 0.5));
    }

    @Test
    void outOfBounds() {
        assertCaught("element 100 of 100", () -> close(first, x -> put(x + 200, 1), 9));
        assertCaught("element -1 of 100", () -> close(first, x -> put(x - 2, 1), 9));
    }

    @Test
    void otherBitsTheSecondTime() {
        assertCaught("the first time", () -> close(second, x -> put(x, 1.25f), 0.5));
    }

    private void close(Processor wrong, LongConsumer work, double tolerance) {
        comparison.close("op", Bound.ofLargest(tolerance), on(wrong, work), ones);
    }

    /** Does nothing but on one processor, on the address of the only array. */
    private static Operation on(Processor processor, LongConsumer work) {
        return (set, a) -> {
            if (set == processor.kernels()) {
                work.accept(a[0]);
            }
        };
    }

    private static void put(long address, double value) {
        Memory.putShort(address, BFloat16.fromFloat((float) value));
    }

    private static void assertCaught(String message, Executable comparison) {
        var e = assertThrows(BrokenContractException.class, comparison);
        assertTrue(e.getMessage().startsWith("tried (Java") && e.getMessage().contains(message), e.getMessage());
    }
}
