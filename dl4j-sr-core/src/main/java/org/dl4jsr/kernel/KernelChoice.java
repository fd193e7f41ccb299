package org.dl4jsr.kernel;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides once which kernels run in this process and logs it. */
final class KernelChoice {

    /** The instruction set of the native kernels (see {@link InstructionSet}), or "java" for the Java kernels. */
    static final String LEVEL_PROPERTY = "org.dl4jsr.kernel.level";

    private static final String JAVA = "java";
    private static final Logger LOG = LoggerFactory.getLogger(KernelChoice.class);

    private static Kernels chosen;

    private KernelChoice() {}

    static synchronized Kernels kernels() {
        if (chosen == null) {
            chosen = kernels(System.getProperty(LEVEL_PROPERTY));
            LOG.info("dl4j-sr kernels: {}", chosen.description());
        }
        return chosen;
    }

    /** Those that go with {@link #kernels()}. */
    static ArrayKernels arrayKernels() {
        return ChosenArrayKernels.INSTANCE;
    }

    static Matmul matmul() {
        return Autocast.isEnabled() ? ChosenMatmul.AUTOCAST : ChosenMatmul.INSTANCE;
    }

    /**
     * The kernels of this level, which is one of {@link #LEVEL_PROPERTY}, or null for the best there is.
     *
     * @throws IllegalArgumentException for a level that does not exist or that this process cannot run
     */
    static Kernels kernels(String level) {
        if (JAVA.equals(level)) {
            return new JavaKernels();
        }
        var instructionSet = level == null ? null : instructionSet(level);
        try {
            return instructionSet == null ? new NativeKernels() : new NativeKernels(instructionSet);
        } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
            if (level != null) {
                throw new IllegalArgumentException(
                        LEVEL_PROPERTY + " is " + level + ", but the native kernels do not" + " load (" + e.getMessage()
                                + "); set it to java or leave it out",
                        e);
            }
            LOG.warn(
                    "dl4j-sr's native kernels do not load, the far slower Java kernels run instead ({}). They are"
                            + " built with the jar where g++ is installed: install it, then mvn clean package",
                    e.toString());
            return new JavaKernels();
        }
    }

    private static InstructionSet instructionSet(String level) {
        for (var set : InstructionSet.values()) {
            if (set.label().equals(level)) {
                return set;
            }
        }
        throw new IllegalArgumentException(LEVEL_PROPERTY + " is " + level + ", expected one of "
                + Arrays.stream(InstructionSet.values())
                        .map(InstructionSet::label)
                        .collect(Collectors.joining(", "))
                + ", " + JAVA);
    }

    private static final class ChosenArrayKernels {
        static final ArrayKernels INSTANCE =
                kernels() instanceof NativeKernels chosen ? new NativeArrayKernels(chosen) : new JavaArrayKernels();
    }

    private static final class ChosenMatmul {
        static final Matmul INSTANCE = choose();
        static final Matmul AUTOCAST = new AutocastMatmul(INSTANCE);

        private static Matmul choose() {
            try {
                Matmul matmul = new OneDnnMatmul();
                if (!OneDnnMatmul.multipliesBFloat16()) {
                    matmul = new WideningMatmul(matmul);
                }
                LOG.info("dl4j-sr matmul: {}", matmul.description());
                return matmul;
            } catch (LinkageError e) {
                LOG.warn(
                        "dl4j-sr matmul: Java loops, very slow, because oneDNN does not load. Is dnnl's jar for this"
                                + " platform on the class path?",
                        e);
                return new JavaMatmul();
            }
        }
    }
}
