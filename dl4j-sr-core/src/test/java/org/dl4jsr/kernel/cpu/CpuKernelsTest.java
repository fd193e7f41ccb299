package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dl4jsr.kernel.reference.JavaKernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

class CpuKernelsTest {

    static boolean hasNativeKernels() {
        return CpuKernels.levels().size() > 1;
    }

    @Test
    void levelsRun() {
        for (String level : CpuKernels.levels()) {
            assertFalse(CpuKernels.ofLevel(level, 1).kernels().description().isEmpty());
        }
    }

    @Test
    void javaOnDemand() {
        assertInstanceOf(JavaKernels.class, CpuKernels.ofLevel("java", 0).kernels());
    }

    @Test
    @EnabledIf("hasNativeKernels")
    void scalarOnDemand() {
        assertTrue(CpuKernels.ofLevel("scalar", 0).kernels().description().startsWith("native scalar, "));
    }

    @Test
    @EnabledIf("hasNativeKernels")
    void refusesWhatTheProcessorLacks() {
        int best = NativeLibrary.bestInstructionSet();
        for (var set : InstructionSet.values()) {
            if (set.ordinal() < best) {
                var e = assertThrows(IllegalArgumentException.class, () -> CpuKernels.ofLevel(set.label(), 0));
                assertTrue(e.getMessage().contains(set.label()), e.getMessage());
            }
        }
    }

    @Test
    @EnabledIf("hasNativeKernels")
    void refusesBadThreads() {
        assertThrows(IllegalArgumentException.class, () -> CpuKernels.ofLevel("scalar", -1));
    }

    /** What C++ repeats of Java. The library would not load if a fact were another, and each of them is one. */
    @Test
    @EnabledIf("hasNativeKernels")
    void refusesALibraryWithOtherFacts() {
        String facts = NativeLibrary.commonFacts();
        Map<String, String> others = Map.of(
                "AVX512BF16 EMULATED_AMX", "EMULATED_AMX AVX512BF16",
                "STOCHASTIC 100", "STOCHASTIC 000",
                "KAHAN 010", "KAHAN 000",
                "MASTER 011", "MASTER 010",
                "WEIGHT_STREAM 0", "WEIGHT_STREAM 2",
                "MOMENT_STREAM 1", "MOMENT_STREAM 0",
                "SUM_LANES 16", "SUM_LANES 8");
        others.forEach((fact, other) -> {
            assertTrue(facts.contains(fact), facts);
            var e = assertThrows(
                    IllegalStateException.class, () -> NativeLibrary.requireSameFacts(facts.replace(fact, other)));
            assertTrue(e.getMessage().contains(fact) && e.getMessage().contains(other), e.getMessage());
        });
    }

    @Test
    void refusesUnknownLevels() {
        for (String level : Set.of("", "sse", "AVX2", "Java")) {
            var e = assertThrows(IllegalArgumentException.class, () -> CpuKernels.ofLevel(level, 0));
            assertEquals(
                    "org.dl4jsr.kernel.level is " + level
                            + ", expected one of amx, avx512bf16, avx512, avx2, scalar, java",
                    e.getMessage());
        }
    }

    /** Before anything computes: what a program can say in one line. */
    @Test
    void theProblemOfALevelIsKnownBeforehand() {
        assertNull(CpuKernels.problem());
        for (String level : List.of("", "sse", "AVX2", "emulated_amx")) {
            assertProblem("org.dl4jsr.kernel.level is " + level + ", and this process can run ", level);
        }
        for (String level : CpuKernels.levels()) {
            if (!level.equals("emulated_amx")) {
                assertProblem(null, level);
            }
        }
    }

    private static void assertProblem(String start, String level) {
        System.setProperty(CpuKernels.LEVEL_PROPERTY, level);
        try {
            String problem = CpuKernels.problem();
            assertTrue(start == null ? problem == null : problem != null && problem.startsWith(start), problem);
        } finally {
            System.clearProperty(CpuKernels.LEVEL_PROPERTY);
        }
    }

    @Test
    void emulationIsNotForUsers() {
        System.setProperty(CpuKernels.LEVEL_PROPERTY, "emulated_amx");
        try {
            var e = assertThrows(IllegalArgumentException.class, CpuKernels::choose);
            assertTrue(
                    e.getMessage().contains("is emulated_amx, expected one of amx, avx512bf16, avx512"),
                    e.getMessage());
        } finally {
            System.clearProperty(CpuKernels.LEVEL_PROPERTY);
        }
    }
}
