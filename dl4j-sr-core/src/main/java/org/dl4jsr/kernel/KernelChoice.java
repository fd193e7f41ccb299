package org.dl4jsr.kernel;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides once which kernels run in this process and logs it. */
final class KernelChoice {

    private static final Logger LOG = LoggerFactory.getLogger(KernelChoice.class);

    private KernelChoice() {}

    static Kernels kernels() {
        return ChosenKernels.INSTANCE;
    }

    static Matmul matmul() {
        throw new IllegalStateException("no matmul yet");
    }

    private static final class ChosenKernels {
        static final Kernels INSTANCE = choose();

        private static Kernels choose() {
            var kernels = new JavaKernels();
            LOG.info("dl4j-sr kernels: {}", kernels.description());
            return kernels;
        }
    }
}
