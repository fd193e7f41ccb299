package org.dl4jsr.kernel.cpu;

import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.Platform;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Optimizer;
import org.dl4jsr.rounding.BlockSum;
import org.dl4jsr.rounding.StochasticRounding;
import org.dl4jsr.rounding.WeightWrite;

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
        requireSameFacts(commonFacts());
    }

    private NativeLibrary() {}

    /** The orders of enums, what weight writes need, and the constants that stand in Java and in C++ have to agree. */
    static void requireSameFacts(String ofLibrary) {
        String facts = names(InstructionSet.values()) + names(FloatType.values()) + names(Arithmetic.values())
                + list(WeightWrite.values(), write -> write + " " + needs(write))
                + "WEIGHT_STREAM " + StochasticRounding.WEIGHT_STREAM
                + " MOMENT_STREAM " + StochasticRounding.MOMENT_STREAM
                + " BLOCK " + BlockSum.BLOCK + " SUM_LANES " + BlockSum.LANES
                + " MOST_MOMENTS " + Optimizer.MOST_MOMENTS;
        if (!facts.equals(ofLibrary)) {
            throw new IllegalStateException("The native kernels are of another version: they have " + ofLibrary
                    + ", expected " + facts + "; build the jar again, mvn clean package");
        }
    }

    private static String names(Enum<?>[] constants) {
        return list(constants, Enum::name);
    }

    private static <E extends Enum<?>> String list(E[] constants, Function<E, String> fact) {
        return Arrays.stream(constants)
                .map(constant -> fact.apply(constant) + " ")
                .collect(Collectors.joining("", constants[0].getDeclaringClass().getSimpleName() + " ", ""));
    }

    /** RANDOM, EXTRA and FP32_STATE of the structure of this name in rounding.h. */
    private static String needs(WeightWrite write) {
        return Stream.of(write.isStochastic(), write.hasExtra(), write.hasFp32State())
                .map(need -> need ? "1" : "0")
                .collect(Collectors.joining());
    }

    static native String commonFacts();

    static native int bestInstructionSet();

    static native int defaultThreads();

    /** How many threads OpenMP gives to what this thread calls from now on, oneDNN too; returns how many they were. */
    static native int setThreads(int threads);
}
