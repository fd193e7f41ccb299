package org.dl4jsr.backend;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.common.config.ND4JEnvironmentVars;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;

/** Why ND4J has not taken one of dl4j-sr's backends, and what to do. */
final class MissingBackend {

    private static final String SERVICE = "META-INF/services/" + Nd4jBackend.class.getName();

    private MissingBackend() {}

    /** What {@code by} throws where ND4J runs on another backend. */
    static IllegalStateException neededBy(String by) {
        Nd4jBackend backend = Nd4j.getBackend();
        return new IllegalStateException(by + " needs dl4j-sr's ND4J backend, and "
                + (backend == null ? "none" : backend.getClass().getName()) + " is in force: " + reason());
    }

    private static String reason() {
        if (!isAnnounced()) {
            return "no " + SERVICE + " on the class path names " + Bf16CpuBackend.class.getName()
                    + ". Merge these files where jars are joined to one; for the maven-shade-plugin add to its"
                    + " configuration <transformers><transformer"
                    + " implementation=\"org.apache.maven.plugins.shade.resource.ServicesResourceTransformer\"/>"
                    + "</transformers>";
        }
        if (Bf16Backend.isExcluded(Bf16CpuBackend.class.getName())) {
            return "the system property " + Bf16Backend.BACKENDS_PROPERTY + " is "
                    + System.getProperty(Bf16Backend.BACKENDS_PROPERTY) + "; leave it out or set it to "
                    + Bf16CpuBackend.class.getName();
        }
        for (String variable :
                List.of(ND4JEnvironmentVars.BACKEND_PRIORITY_CPU, ND4JEnvironmentVars.BACKEND_PRIORITY_GPU)) {
            if (System.getenv(variable) != null) {
                return "the environment sets " + variable + "; unset it";
            }
        }
        return "remove other ND4J backends from the class path";
    }

    private static boolean isAnnounced() {
        try {
            for (URL file :
                    Collections.list(ND4JClassLoading.getNd4jClassloader().getResources(SERVICE))) {
                try (var lines = new BufferedReader(new InputStreamReader(file.openStream(), StandardCharsets.UTF_8))) {
                    if (lines.lines().anyMatch(line -> line.strip().equals(Bf16CpuBackend.class.getName()))) {
                        return true;
                    }
                }
            }
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + SERVICE + " of the class path", e);
        }
    }
}
