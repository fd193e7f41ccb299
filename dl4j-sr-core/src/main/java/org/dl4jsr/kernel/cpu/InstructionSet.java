package org.dl4jsr.kernel.cpu;

import java.util.Locale;

/** What the native kernels are compiled for, best first. The order is part of the native interface. */
enum InstructionSet {
    /** AVX512BF16, with attention on AMX's tiles. */
    AMX,
    /** AVX-512 with BF16 dot products. */
    AVX512BF16,
    /** AMX with its tiles emulated, far slower: for the tests alone, of what this processor may lack. */
    EMULATED_AMX,
    /** AVX-512 F, BW, DQ and VL. */
    AVX512,
    /** AVX2 and FMA. */
    AVX2,
    /** Any processor. */
    SCALAR;

    /** The best one of this processor; a LinkageError where there is no native library. */
    static InstructionSet best() {
        return values()[NativeLibrary.bestInstructionSet()];
    }

    /** The name in logs and in the system property. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
