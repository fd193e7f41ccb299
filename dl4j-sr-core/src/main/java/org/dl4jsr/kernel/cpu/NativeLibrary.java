package org.dl4jsr.kernel.cpu;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.Platform;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Optimizer;
import org.dl4jsr.rounding.BlockSum;

/**
 * The library of the native methods of this class and of those that inherit its properties: functions of the same names
 * in kernels.h, which JavaCPP compiles. The first two parameters of a kernel are the ordinal of an {@link InstructionSet},
 * which asks this class for the best one and so has loaded it, and the number of threads; an address is a long.
 */
@Platform(
        include = "kernels.h",
        library = "jniNativeLibrary",
        compiler = {"cpp17", "kernels"},
        preload = "gomp@.1",
        preloadresource = {"/org/nd4j/linalg/cpu/nativecpu/bindings/", "/org/bytedeco/dnnl/"})
@Namespace("dl4jsr")
final class NativeLibrary {

    static {
        OpenMpSettings.load();
        Loader.load();
        requireSameFacts();
    }

    private NativeLibrary() {}

    /** The orders of enums and the constants that stand in Java and in C++ have to agree. */
    private static void requireSameFacts() {
        String facts = names(InstructionSet.values()) + names(FloatType.values()) + names(Arithmetic.values())
                + "BLOCK " + BlockSum.BLOCK + " MOST_MOMENTS " + Optimizer.MOST_MOMENTS;
        if (!facts.equals(commonFacts())) {
            throw new IllegalStateException("The native kernels are of another version: they have " + commonFacts()
                    + ", expected " + facts + "; build the jar again, mvn clean package");
        }
    }

    private static String names(Enum<?>[] constants) {
        return Arrays.stream(constants)
                .map(constant -> constant.name() + " ")
                .collect(Collectors.joining("", constants[0].getDeclaringClass().getSimpleName() + " ", ""));
    }

    private static native String commonFacts();

    static native int bestInstructionSet();

    static native int defaultThreads();

    /** How many threads OpenMP gives to what this thread calls from now on, oneDNN too; returns how many they were. */
    static native int setThreads(int threads);
}
