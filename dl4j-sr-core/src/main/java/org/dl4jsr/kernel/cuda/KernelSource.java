package org.dl4jsr.kernel.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The CUDA C++ sources of the kernels, as they lie in the jar; each is compiled to a module of its own. */
enum KernelSource {
    OPTIMIZER("optimizer.cu"),
    TRANSFORMER("transformer.cu"),
    ATTENTION("attention.cu"),
    /** For compute capability 8.0 and up. */
    TENSOR_CORE_ATTENTION("attention_mma.cu"),
    MATRIX("matrix.cu");

    /** What the sources include; the arithmetic in it is that of the C++ kernels for the CPU. */
    static final List<String> HEADERS = List.of("attention.h", "device.h", "rounding.h", "types.h");

    private final String file;

    KernelSource(String file) {
        this.file = file;
    }

    /** Name of the file. */
    String file() {
        return file;
    }

    String text() {
        return text(file);
    }

    /** The text of a source or header. */
    static String text(String file) {
        try (var in = KernelSource.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("The CUDA source " + file + " is not in dl4j-sr-core's jar beside "
                        + KernelSource.class.getName() + ": build the jar again");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
