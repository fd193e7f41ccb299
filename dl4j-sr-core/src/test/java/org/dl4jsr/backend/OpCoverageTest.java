package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Every op of ND4J, in every memory layout, gives for BF16 arrays what it gives for FLOAT arrays of the same values, to
 * the bit, rounded to nearest even once; or it throws, as it does for FLOAT. So with FLOAT among the BF16 operands.
 */
@Tag("slow")
class OpCoverageTest {

    /** Their value depends on the order of the elements in memory. */
    private static final Set<String> BY_MEMORY_ORDER = Set.of("hashcode", "ProbablisticMerge");

    /** Not right where the result lies in an operand's memory, in FLOAT, too. */
    private static final Set<String> NEVER_IN_PLACE = Set.of("lrn", "local_response_normalization", "lrn_bp");

    private enum Layout {
        DENSE,
        F,
        VIEW
    }

    @TestFactory
    Stream<DynamicTest> customOps() {
        Map<String, List<OpCase>> cases = CustomOpCases.all().stream().collect(Collectors.groupingBy(OpCase::name));
        return Nd4jOps.custom().values().stream().flatMap(names -> {
            List<OpCase> ofOp = names.stream()
                    .map(cases::get)
                    .filter(list -> list != null)
                    .flatMap(Collection::stream)
                    .toList();
            return ofOp.isEmpty()
                    ? Stream.empty()
                    : names.stream()
                            .map(name -> DynamicTest.dynamicTest(
                                    name,
                                    () -> checkCustom(ofOp.stream()
                                            .map(opCase -> opCase.named(name))
                                            .toList())));
        });
    }

    @TestFactory
    Stream<DynamicTest> legacyOps() {
        return Nd4jOps.legacyClasses().stream()
                .filter(type -> !isUntried(type))
                .map(type -> DynamicTest.dynamicTest(type.getSimpleName(), () -> checkLegacy(type)));
    }

    @Test
    void everyOpIsTriedOrExplained() {
        Set<String> named = CustomOpCases.all().stream().map(OpCase::name).collect(Collectors.toSet());
        Set<String> tried = Nd4jOps.custom().values().stream()
                .filter(names -> names.stream().anyMatch(named::contains))
                .flatMap(Set::stream)
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(Set.of(), minus(minus(Nd4jOps.customNames(), tried), UntriedOps.names()), "custom ops");
        assertEquals(Set.of(), minus(named, Nd4jOps.customNames()), "cases of no op");
        Set<String> both = new TreeSet<>(tried);
        both.retainAll(UntriedOps.names());
        assertEquals(Set.of(), both, "explained, though tried");
        Set<String> ofClasses = minus(Nd4jOps.customNamesOfClasses(), Nd4jOps.customNames());
        assertEquals(Set.of(), minus(ofClasses, UntriedOps.names()), "custom ops that only classes know");
        Set<String> known = new TreeSet<>(Nd4jOps.customNames());
        known.addAll(ofClasses);
        Nd4jOps.legacyClasses().stream()
                .map(Nd4jOps::name)
                .filter(Objects::nonNull)
                .forEach(known::add);
        assertEquals(Set.of(), minus(UntriedOps.names(), known), "explained, but no ops of ND4J");
    }

    @Test
    void theDocumentationListsTheOpsAsTheyRun() throws IOException {
        String page = Files.readString(Path.of("../docs/ops.md"));
        assertTrue(
                page.endsWith(OpLists.markdown()),
                "docs/ops.md is not what the command in it makes: run it and paste what it prints");
    }

    private static void checkCustom(List<OpCase> cases) {
        int ran = 0;
        for (OpCase opCase : cases) {
            ran += checkCustom(opCase) ? 1 : 0;
        }
        assertEquals(UntriedOps.REFUSED_IN_FLOAT.contains(cases.get(0).name()), ran == 0, "runs on no arguments");
    }

    /** Returns whether the op runs on FLOAT. */
    private static boolean checkCustom(OpCase opCase) {
        INDArray[] expected =
                check(opCase.name(), operands -> opCase.run(isWide(operands), false, operands), opCase.inputs(), true);
        boolean mayBeInPlace = !NEVER_IN_PLACE.contains(opCase.name())
                && expected != null
                && expected.length == 1
                && Nd4j.getExecutioner()
                        .getCustomOperations()
                        .get(opCase.name())
                        .isAllowsInplace()
                && expected[0].dataType() == DataType.FLOAT
                && Arrays.equals(expected[0].shape(), opCase.inputs()[0].shape());
        if (mayBeInPlace) {
            check(
                    opCase.name() + ", in place",
                    operands -> opCase.run(isWide(operands), true, operands),
                    opCase.inputs(),
                    false);
        }
        return expected != null;
    }

    private static void checkLegacy(Class<? extends Op> type) {
        int ran = 0;
        for (var opCase : LegacyOpCases.of(type)) {
            INDArray[] expected = check(
                    type.getSimpleName(), operands -> new INDArray[] {opCase.run(operands)}, opCase.inputs(), true);
            ran += expected == null ? 0 : 1;
        }
        assertEquals(UntriedOps.REFUSED_IN_FLOAT.contains(Nd4jOps.name(type)), ran == 0, "runs on no arguments");
    }

    /** Returns the results in FLOAT; null where the op throws for FLOAT, as it then must for BF16. */
    private static INDArray[] check(
            String name, Function<INDArray[], INDArray[]> op, INDArray[] inputs, boolean mixed) {
        INDArray[] wide =
                Arrays.stream(inputs).map(x -> laidOut(x, Layout.DENSE, true)).toArray(INDArray[]::new);
        INDArray[] expected = runs(op, wide);
        for (Layout layout : Layout.values()) {
            if (layout != Layout.DENSE && BY_MEMORY_ORDER.contains(name)) {
                continue;
            }
            INDArray[] narrow =
                    Arrays.stream(inputs).map(x -> laidOut(x, layout, false)).toArray(INDArray[]::new);
            String what = name + ", " + layout;
            INDArray[] got = runs(op, narrow);
            if (expected == null) {
                assertTrue(got == null, what + " throws for FLOAT, but not for BF16");
                continue;
            }
            assertNotNull(got, what + " throws for BF16, but not for FLOAT");
            assertRounded(what, expected, got);
            for (int i = 0; i < inputs.length; i++) {
                if (!same(inputs[i], narrow[i])) { // the op writes to it
                    assertRounded(what + ", operand " + i, wide[i], narrow[i]);
                }
            }
        }
        if (expected != null && mixed) {
            checkMixed(name, op, inputs, expected);
        }
        return expected;
    }

    /** One operand FLOAT, or all but one. */
    private static void checkMixed(
            String name, Function<INDArray[], INDArray[]> op, INDArray[] inputs, INDArray[] expected) {
        int[] floats = IntStream.range(0, inputs.length)
                .filter(i -> Bf16Arrays.isBFloat16(inputs[i]))
                .toArray();
        for (int odd = 0; floats.length > 1 && odd < floats.length; odd++) {
            for (boolean wide : new boolean[] {false, true}) {
                INDArray[] mixed = new INDArray[inputs.length];
                for (int i = 0; i < inputs.length; i++) {
                    mixed[i] = laidOut(inputs[i], Layout.DENSE, (i == floats[odd]) == wide);
                }
                INDArray[] got = runs(op, mixed);
                if (got != null) {
                    assertRounded(
                            name + ", FLOAT " + (wide ? "only" : "but") + " operand " + floats[odd], expected, got);
                }
            }
        }
    }

    private static INDArray[] runs(Function<INDArray[], INDArray[]> op, INDArray[] operands) {
        try {
            return op.apply(operands);
        } catch (RuntimeException e) {
            assertNotNull(e.getMessage(), "a refusal says why");
            return null;
        }
    }

    private static void assertRounded(String what, INDArray[] expected, INDArray[] got) {
        assertEquals(expected.length, got.length, what);
        for (int i = 0; i < expected.length; i++) {
            assertRounded(what + ", result " + i, expected[i], got[i]);
        }
    }

    private static void assertRounded(String what, INDArray expected, INDArray got) {
        assertArrayEquals(expected.shape(), got.shape(), what);
        if (expected.isEmpty()) {
            return;
        }
        if (expected.dataType() != DataType.FLOAT) {
            assertTrue(same(expected, got), what + ": " + got + " instead of " + expected);
        } else if (got.dataType() == DataType.FLOAT) {
            assertTrue(expected.equalsWithEps(got, 1e-6), what + ": " + got + " instead of " + expected);
        } else if (what.contains("dot_product_attention") || what.contains("sconv2d")) {
            // what is between their products is rounded, too
            double error = got.castTo(DataType.FLOAT).distance2(expected);
            assertTrue(error < 0.02 * expected.norm2Number().doubleValue(), what + ": off by " + error);
        } else {
            assertArrayEquals(Bf16Testing.values(expected.castTo(DataType.BFLOAT16)), Bf16Testing.values(got), what);
        }
    }

    private static boolean same(INDArray a, INDArray b) {
        return a.dataType() == b.dataType() && a.equalsWithEps(b, Double.MIN_VALUE);
    }

    /** The values of {@code array} in a memory of this layout, as FLOAT if it is BF16 and {@code wide}. */
    private static INDArray laidOut(INDArray array, Layout layout, boolean wide) {
        if (array.isEmpty() || array.dataType() == DataType.UTF8) {
            return array;
        }
        DataType type = wide && Bf16Arrays.isBFloat16(array) ? DataType.FLOAT : array.dataType();
        if (layout != Layout.VIEW || !array.isR() || array.rank() == 0) {
            char order = layout == Layout.F && array.isR() ? 'f' : array.ordering();
            return Nd4j.createUninitialized(type, array.shape(), order).assign(array);
        }
        long[] shape = Arrays.stream(array.shape()).map(size -> size + 2).toArray();
        INDArrayIndex[] inner = Arrays.stream(array.shape())
                .mapToObj(size -> NDArrayIndex.interval(1, 1 + size))
                .toArray(INDArrayIndex[]::new);
        return Nd4j.zeros(type, shape).get(inner).assign(array);
    }

    private static boolean isWide(INDArray[] operands) {
        return Arrays.stream(operands).noneMatch(Bf16Arrays::isBFloat16);
    }

    private static boolean isUntried(Class<? extends Op> type) {
        return UntriedOps.names().contains(Nd4jOps.name(type));
    }

    private static Set<String> minus(Set<String> all, Set<String> some) {
        Set<String> rest = new TreeSet<>(all);
        rest.removeAll(some);
        return rest;
    }
}
