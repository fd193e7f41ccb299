package org.dl4jsr.updater;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.dl4jsr.JavaProcess;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** A process in which ND4J does not find dl4j-sr's backend. */
@Tag("slow")
class OtherBackendTest {

    private static final String SERVICE = "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend";

    @Test
    void srAdamIsRefused(@TempDir Path directory) throws Exception {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> withoutBackend(Path.of(entry), directory))
                .collect(Collectors.joining(File.pathSeparator));
        Process process = new ProcessBuilder(JavaProcess.command("-cp", classPath, OtherBackendTest.class.getName()))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        assertTrue(
                output.contains("SrAdam needs dl4j-sr's ND4J backend, and org.nd4j.linalg.cpu.nativecpu.CpuBackend"
                        + " is in force"),
                output);
    }

    /** The entry, or a copy of it that does not announce the backend. */
    private static String withoutBackend(Path entry, Path directory) {
        if (!Files.exists(entry.resolve(SERVICE))) {
            return entry.toString();
        }
        try (Stream<Path> files = Files.walk(entry)) {
            for (Path file : files.toList()) {
                Path copy = directory.resolve(entry.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else if (!file.endsWith(SERVICE)) {
                    Files.copy(file, copy);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return directory.toString();
    }

    /** What the process does. */
    public static void main(String[] arguments) {
        try {
            TestNetworks.fit(TestNetworks.mlp(new SrAdam(), DataType.FLOAT), 1);
        } catch (IllegalStateException e) {
            System.out.println(e.getMessage());
        }
    }
}
