package org.dl4jsr.benchmarks.contract;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.dl4jsr.benchmarks.contract.Processor.Placed;
import org.dl4jsr.kernel.KernelSet;

/** Runs an operation on the Java kernels and on every implementation, on copies of the same arrays, and compares. */
public final class Comparison {

    private final Processor oracle;
    private final List<Implementation> implementations;

    Comparison(Processor oracle, List<Implementation> implementations) {
        this.oracle = oracle;
        this.implementations = implementations;
    }

    /** An operation on arrays at these addresses. */
    @FunctionalInterface
    interface Operation {
        void run(KernelSet kernels, long[] arrays);
    }

    /** An operation that returns something, or null. */
    @FunctionalInterface
    interface Function {
        Object run(KernelSet kernels, long[] arrays);
    }

    /** What an operation left: what it returned, and each array between its guards. */
    private record Outcome(Object result, byte[][] arrays) {}

    /** Arrays must be equal, bit for bit. */
    void same(String what, Operation operation, Content... arrays) {
        sameResult(what, returningNull(operation), arrays);
    }

    /** Results and arrays must be equal, bit for bit. */
    void sameResult(String what, Function function, Content... arrays) {
        Outcome expected = run(oracle, function, arrays);
        for (var implementation : implementations) {
            for (var processor : implementation.processors()) {
                Outcome actual = run(processor, function, arrays);
                String where = where(processor, implementation, what);
                if (!Objects.equals(actual.result, expected.result)) {
                    throw new BrokenContractException(
                            where + ": returned " + actual.result + ", expected " + expected.result);
                }
                requireSameBits(where, arrays, expected, actual, "expected");
            }
        }
    }

    /**
     * Each value must be within {@code bound}, and of the same bits on all processors of an implementation; what lies
     * around the arrays must be as it was.
     */
    void close(String what, Bound bound, Operation operation, Content... arrays) {
        Function function = returningNull(operation);
        Outcome expected = run(oracle, function, arrays);
        for (int i = 0; i < arrays.length; i++) {
            requireWithinBounds("the oracle, " + what + ": array " + i, arrays[i], expected.arrays[i]);
        }
        for (var implementation : implementations) {
            Outcome first = null;
            for (var processor : implementation.processors()) {
                Outcome actual = run(processor, function, arrays);
                String where = where(processor, implementation, what);
                if (first == null) {
                    first = actual;
                    for (int i = 0; i < arrays.length; i++) {
                        requireClose(
                                where + ": array " + i,
                                bound.on(processor.kernels()),
                                arrays[i],
                                expected.arrays[i],
                                actual.arrays[i]);
                    }
                } else {
                    requireSameBits(where, arrays, first, actual, "the first time");
                }
            }
        }
    }

    private static Function returningNull(Operation operation) {
        return (kernels, addresses) -> {
            operation.run(kernels, addresses);
            return null;
        };
    }

    private static String where(Processor processor, Implementation implementation, String what) {
        return implementation.name() + " (" + processor.kernels().kernels().description() + "), " + what;
    }

    private static void requireSameBits(
            String where, Content[] arrays, Outcome expected, Outcome actual, String expectedBy) {
        for (int i = 0; i < arrays.length; i++) {
            int at = Arrays.mismatch(expected.arrays[i], actual.arrays[i]);
            if (at >= 0) {
                throw new BrokenContractException(where + ": array " + i + " " + arrays[i].where(actual.arrays[i], at)
                        + ", " + expectedBy + " " + arrays[i].where(expected.arrays[i], at));
            }
        }
    }

    private static void requireWithinBounds(String where, Content array, byte[] actual) {
        int damage = array.damage(actual);
        if (damage >= 0) {
            throw new BrokenContractException(
                    where + " " + array.where(actual, damage) + ": was written, out of bounds");
        }
    }

    private static void requireClose(String where, Bound bound, Content array, byte[] expected, byte[] actual) {
        if (Arrays.equals(expected, actual)) {
            return; // such as what is only read
        }
        requireWithinBounds(where, array, actual);
        double[] expectedValues = array.values(expected);
        double[] values = array.values(actual);
        double largest = 0;
        for (double value : expectedValues) {
            largest = Double.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest;
        }
        for (int i = 0; i < values.length; i++) {
            if (Double.compare(values[i], expectedValues[i]) == 0) {
                continue;
            }
            double allowed = bound.of(array.type(), expectedValues[i], largest);
            if (!(Math.abs(values[i] - expectedValues[i]) <= allowed)) {
                throw new BrokenContractException(where + " element " + i + " is " + values[i] + ", expected "
                        + expectedValues[i] + " within " + allowed);
            }
        }
    }

    private static Outcome run(Processor processor, Function function, Content[] arrays) {
        var placed = new ArrayList<Placed>();
        try {
            long[] addresses = new long[arrays.length];
            for (int i = 0; i < arrays.length; i++) {
                placed.add(processor.place(arrays[i].guarded()));
                addresses[i] = placed.get(i).address() + arrays[i].start();
            }
            Object result = function.run(processor.kernels(), addresses);
            return new Outcome(result, placed.stream().map(Placed::read).toArray(byte[][]::new));
        } finally {
            placed.forEach(Placed::close);
        }
    }
}
