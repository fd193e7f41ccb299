package org.dl4jsr.kernel.cpu;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.Convolution;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.TransformerKernels;
import org.dl4jsr.kernel.composed.ProductConvolution;
import org.dl4jsr.kernel.reference.JavaArrayKernels;
import org.dl4jsr.kernel.reference.JavaKernels;
import org.dl4jsr.kernel.reference.JavaMatmul;
import org.dl4jsr.kernel.reference.JavaTransformerKernels;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands out the CPU's kernels: the one place that decides which implementation runs. */
public final class CpuKernels {

    /**
     * System property: the instruction set of the native kernels ({@code amx}, {@code avx512bf16}, {@code avx512},
     * {@code avx2}, {@code scalar}), or {@code java} for the Java kernels, with which products run in Java, too, where
     * oneDNN does not load. By default the best of this processor.
     */
    public static final String LEVEL_PROPERTY = "org.dl4jsr.kernel.level";

    static final String JAVA = "java";

    /** What users may ask for, best first. */
    private static final List<String> OFFERED = Stream.concat(
                    Arrays.stream(InstructionSet.values())
                            .filter(set -> set != InstructionSet.EMULATED_AMX)
                            .map(InstructionSet::label),
                    Stream.of(JAVA))
            .toList();

    private static final String ONE_DNN = "/org/bytedeco/dnnl";
    private static final Logger LOG = LoggerFactory.getLogger(CpuKernels.class);

    private CpuKernels() {}

    /** What multiplies, and whether it is oneDNN with BF16, which convolves, too. */
    private record Library(Matmul matmul, boolean convolves) {}

    /** The kernels for this process, as {@link #LEVEL_PROPERTY} has it; logs what they are. */
    public static KernelSet choose() {
        String level = System.getProperty(LEVEL_PROPERTY);
        if (level != null && !OFFERED.contains(level)) {
            throw unknown(level);
        }
        KernelSet chosen = ofLevel(level, 0);
        LOG.info("dl4j-sr kernels: {}", chosen.kernels().description());
        LOG.info("dl4j-sr matmul: {}", chosen.matmul().description());
        return chosen;
    }

    /**
     * The kernels of one level. A jar that was built without native kernels for this platform gets the Java kernels and
     * says so on standard error, which needs no logging to be set up.
     *
     * @param level a value of {@link #LEVEL_PROPERTY}, or null for the best there is
     * @param threads of the kernels but for oneDNN's; 0 for OpenMP's default, at most one a processor
     * @throws IllegalArgumentException for a level that does not exist or that this process cannot run
     * @throws IllegalStateException for native code that is there and does not load; says why and what to do
     */
    public static KernelSet ofLevel(String level, int threads) {
        if (JAVA.equals(level)) {
            return javaSet(threads, CpuKernels::oneDnnOrJava);
        }
        InstructionSet instructionSet = level == null ? null : instructionSet(level);
        if (hasNativeKernels()) {
            return nativeSet(nativeKernels(instructionSet, threads));
        }
        if (level != null) {
            throw new IllegalArgumentException(LEVEL_PROPERTY + " is " + level + ", but this dl4j-sr was built without"
                    + " native kernels for " + Loader.getPlatform() + "; set it to java or leave it out");
        }
        warn("the far slower Java kernels run, because this jar was built without native kernels for "
                + Loader.getPlatform() + ": install g++, then mvn clean package");
        return javaSet(threads, kernels -> oneDnn(kernels, false));
    }

    /** What is wrong with the value of {@link #LEVEL_PROPERTY}, in one line; null where this process can run it. */
    public static String problem() {
        String level = System.getProperty(LEVEL_PROPERTY);
        if (level == null || JAVA.equals(level)) {
            return null;
        }
        List<String> levels = levels().stream().filter(OFFERED::contains).toList();
        return levels.contains(level)
                ? null
                : LEVEL_PROPERTY + " is " + level + ", and this process can run " + String.join(", ", levels);
    }

    private static boolean hasNativeKernels() {
        return NativeCode.isPackaged("/org/dl4jsr/kernel/cpu", "jniNativeLibrary");
    }

    private static NativeKernels nativeKernels(InstructionSet instructionSet, int threads) {
        try {
            return new NativeKernels(
                    instructionSet == null ? InstructionSet.best() : instructionSet,
                    threads == 0 ? openMpThreads() : threads);
        } catch (LinkageError e) {
            throw NativeCode.failure("dl4j-sr's native kernels do", e);
        }
    }

    /** ND4J and oneDNN take all that OpenMP has, and these wait for each other where there are not as many processors. */
    private static int openMpThreads() {
        int threads = NativeLibrary.defaultThreads();
        if (threads > processors()) {
            warn("OpenMP has " + threads + " threads and this process " + processors() + " processors, which is slow:"
                    + " set OMP_NUM_THREADS to " + processors() + " or less");
        }
        return Math.min(threads, processors());
    }

    /** The values of {@link #LEVEL_PROPERTY} that this process can run, best first. */
    public static List<String> levels() {
        if (!hasNativeKernels()) {
            return List.of(JAVA);
        }
        return Stream.concat(
                        Arrays.stream(InstructionSet.values())
                                .skip(InstructionSet.best().ordinal())
                                .map(InstructionSet::label),
                        Stream.of(JAVA))
                .toList();
    }

    private static KernelSet nativeSet(NativeKernels kernels) {
        Library library = oneDnn(kernels, true);
        Matmul matmul = kernels.instructionSet() == InstructionSet.AVX512BF16
                ? new NativeMatmul(kernels, library.matmul)
                : library.matmul;
        return set(
                kernels,
                new NativeTransformerKernels(kernels),
                new NativeArrayKernels(kernels),
                matmul,
                library.convolves);
    }

    private static KernelSet javaSet(int threads, Function<Kernels, Library> libraryOf) {
        int used = threads == 0 ? processors() : threads;
        var kernels = new JavaKernels(used);
        Library library = libraryOf.apply(kernels);
        return set(
                kernels, new JavaTransformerKernels(used), new JavaArrayKernels(), library.matmul, library.convolves);
    }

    private static KernelSet set(
            Kernels kernels, TransformerKernels transformer, ArrayKernels arrays, Matmul matmul, boolean convolves) {
        var copies = new StridedCopy(kernels);
        Convolution products = new ProductConvolution(transformer, arrays, matmul, Scratch::new);
        return new KernelSet(
                kernels,
                transformer,
                matmul,
                new AutocastMatmul(matmul, copies),
                Optional.of(arrays),
                Optional.of(convolves ? new OneDnnConvolution(products, copies) : products));
    }

    private static Library oneDnn(Kernels kernels, boolean setsThreads) {
        if (!NativeCode.isPackaged(ONE_DNN, "jnidnnl")) {
            throw new IllegalStateException("oneDNN for " + Loader.getPlatform() + ", which dl4j-sr multiplies by, is"
                    + " not on the class path: add org.bytedeco:dnnl and org.bytedeco:opencl with this classifier, in"
                    + " the versions that dl4j-sr-core has. To run on Java loops, far slower, set -D" + LEVEL_PROPERTY
                    + "=" + JAVA);
        }
        try {
            return loadedOneDnn(kernels, setsThreads);
        } catch (LinkageError e) {
            throw NativeCode.failure("oneDNN, which dl4j-sr multiplies by, does", e);
        }
    }

    /** For those who have chosen Java. */
    private static Library oneDnnOrJava(Kernels kernels) {
        try {
            return loadedOneDnn(kernels, false);
        } catch (LinkageError e) {
            warn("matrix products run on Java loops, very slow, because oneDNN does not load: " + e);
            return new Library(new JavaMatmul(processors()), false);
        }
    }

    private static Library loadedOneDnn(Kernels kernels, boolean setsThreads) {
        var matmul = new OneDnnMatmul(kernels, setsThreads);
        return OneDnnLibrary.multipliesBFloat16()
                ? new Library(matmul, true)
                : new Library(new WideningMatmul(matmul, new StridedCopy(kernels)), false);
    }

    /** Without a logger: programs without an SLF4J binding, or with a strict one, must see it, too. */
    private static void warn(String message) {
        System.err.println("dl4j-sr: WARNING: " + message);
    }

    private static int processors() {
        return Runtime.getRuntime().availableProcessors();
    }

    private static InstructionSet instructionSet(String level) {
        for (var set : InstructionSet.values()) {
            if (set.label().equals(level)) {
                return set;
            }
        }
        throw unknown(level);
    }

    private static IllegalArgumentException unknown(String level) {
        return new IllegalArgumentException(
                LEVEL_PROPERTY + " is " + level + ", expected one of " + String.join(", ", OFFERED));
    }
}
