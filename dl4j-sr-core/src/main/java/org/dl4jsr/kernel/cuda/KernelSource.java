package org.dl4jsr.kernel.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The CUDA C++ sources of the kernels, as they lie in the jar; each is compiled to a module of its own. */
enum KernelSource {
    CASTS,
    SUMS,
    OPTIMIZER,
    LAYERNORM,
    ACTIVATION,
    COLUMNS,
    EMBEDDING,
    LOSS,
    TRANSPOSE,
    ATTENTION,
    /** On tensor cores: for compute capability 8.0 and up. */
    ATTENTION_MMA,
    MATRIX,
    ELEMENTWISE,
    WINDOWS,
    BATCHNORM,
    LSTM,
    KEYATTENTION;

    private static final Pattern INCLUDE = Pattern.compile("^#include \"(.+)\"", Pattern.MULTILINE);

    /** Name of the file. */
    String file() {
        return name().toLowerCase(Locale.ROOT) + ".cu";
    }

    String text() {
        return text(file());
    }

    /** The text of each header that {@code text} includes, and that those include, by its name. */
    static SortedMap<String, String> headers(String text) {
        var headers = new TreeMap<String, String>();
        addHeaders(text, headers);
        return headers;
    }

    private static void addHeaders(String text, SortedMap<String, String> headers) {
        INCLUDE.matcher(text).results().map(include -> include.group(1)).forEach(name -> {
            if (!headers.containsKey(name)) {
                headers.put(name, text(name));
                addHeaders(headers.get(name), headers);
            }
        });
    }

    private static String text(String file) {
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
