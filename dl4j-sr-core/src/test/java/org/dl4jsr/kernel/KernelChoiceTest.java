package org.dl4jsr.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

class KernelChoiceTest {

    @Test
    void choosesOnce() {
        assertSame(Kernels.get(), Kernels.get());
    }

    @Test
    void javaOnDemand() {
        assertInstanceOf(JavaKernels.class, KernelChoice.kernels("java"));
    }

    @Test
    @EnabledIf("org.dl4jsr.kernel.NativeKernelsTest#nativeLibraryLoads")
    void scalarOnDemand() {
        assertTrue(KernelChoice.kernels("scalar").description().startsWith("native scalar, "));
    }

    @Test
    @EnabledIf("org.dl4jsr.kernel.NativeKernelsTest#nativeLibraryLoads")
    void refusesWhatTheProcessorLacks() {
        int best = NativeLibrary.bestInstructionSet();
        for (var set : InstructionSet.values()) {
            if (set.ordinal() < best) {
                var e = assertThrows(IllegalArgumentException.class, () -> KernelChoice.kernels(set.label()));
                assertTrue(e.getMessage().contains(set.label()), e.getMessage());
            }
        }
    }

    @Test
    void refusesUnknownLevels() {
        for (String level : Set.of("", "sse", "AVX2", "Java")) {
            var e = assertThrows(IllegalArgumentException.class, () -> KernelChoice.kernels(level));
            assertEquals(
                    "org.dl4jsr.kernel.level is " + level
                            + ", expected one of amx, avx512bf16, emulated_amx, avx512, avx2, scalar, java",
                    e.getMessage());
        }
    }
}
