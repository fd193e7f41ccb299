package org.dl4jsr.kernel.cpu;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.reference.JavaArrayKernels;
import org.dl4jsr.kernel.reference.JavaKernels;
import org.dl4jsr.kernel.reference.JavaMatmul;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands out the CPU's kernels: the one place that decides which implementation runs. */
public final class CpuKernels {

    /**
     * System property: the instruction set of the native kernels ({@code amx}, {@code avx512bf16}, {@code avx512},
     * {@code avx2}, {@code scalar}), or {@code java} for the Java kernels. By default the best of this processor.
     */
    public static final String LEVEL_PROPERTY = "org.dl4jsr.kernel.level";

    private static final String JAVA = "java";
    private static final Logger LOG = LoggerFactory.getLogger(CpuKernels.class);

    private CpuKernels() {}

    /** The kernels for this process, as {@link #LEVEL_PROPERTY} has it; logs what they are. */
    public static KernelSet choose() {
        KernelSet chosen = ofLevel(System.getProperty(LEVEL_PROPERTY), 0);
        LOG.info("dl4j-sr kernels: {}", chosen.kernels().description());
        LOG.info("dl4j-sr matmul: {}", chosen.matmul().description());
        return chosen;
    }

    /**
     * The kernels of one level.
     *
     * @param level a value of {@link #LEVEL_PROPERTY}, or null for the best there is
     * @param threads of the kernels but for oneDNN's; 0 for OpenMP's default, at most one a processor
     * @throws IllegalArgumentException for a level that does not exist or that this process cannot run
     */
    public static KernelSet ofLevel(String level, int threads) {
        if (JAVA.equals(level)) {
            return javaSet(threads);
        }
        InstructionSet instructionSet = level == null ? null : instructionSet(level);
        try {
            var kernels = new NativeKernels(
                    instructionSet == null ? InstructionSet.best() : instructionSet,
                    threads == 0 ? Math.min(NativeLibrary.defaultThreads(), processors()) : threads);
            return set(kernels, new NativeArrayKernels(kernels));
        } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
            if (level != null) {
                throw new IllegalArgumentException(
                        LEVEL_PROPERTY + " is " + level + ", but the native kernels do not load (" + e.getMessage()
                                + "); set it to java or leave it out",
                        e);
            }
            LOG.warn(
                    "dl4j-sr's native kernels do not load, the far slower Java kernels run instead ({}). They are"
                            + " built with the jar where g++ is installed: install it, then mvn clean package",
                    e.toString());
            return javaSet(threads);
        }
    }

    private static KernelSet javaSet(int threads) {
        return set(new JavaKernels(threads == 0 ? processors() : threads), new JavaArrayKernels());
    }

    private static KernelSet set(Kernels kernels, ArrayKernels arrays) {
        Matmul matmul = matmul(kernels);
        return new KernelSet(
                kernels, matmul, new AutocastMatmul(matmul, new StridedCopy(kernels)), Optional.of(arrays));
    }

    private static Matmul matmul(Kernels kernels) {
        try {
            var matmul = new OneDnnMatmul(kernels);
            return OneDnnMatmul.multipliesBFloat16() ? matmul : new WideningMatmul(matmul, new StridedCopy(kernels));
        } catch (LinkageError e) {
            LOG.warn(
                    "dl4j-sr matmul: Java loops, very slow, because oneDNN does not load. Is dnnl's jar for this"
                            + " platform on the class path?",
                    e);
            return new JavaMatmul(processors());
        }
    }

    private static int processors() {
        return Runtime.getRuntime().availableProcessors();
    }

    private static InstructionSet instructionSet(String level) {
        List<InstructionSet> offered = Arrays.stream(InstructionSet.values())
                .filter(InstructionSet::isForUsers)
                .toList();
        for (var set : offered) {
            if (set.label().equals(level)) {
                return set;
            }
        }
        throw new IllegalArgumentException(LEVEL_PROPERTY + " is " + level + ", expected one of "
                + offered.stream().map(InstructionSet::label).collect(Collectors.joining(", ")) + ", " + JAVA);
    }
}
