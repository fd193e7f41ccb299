package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
