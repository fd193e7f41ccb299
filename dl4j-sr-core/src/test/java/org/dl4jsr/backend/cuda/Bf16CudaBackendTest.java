package org.dl4jsr.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.dl4jsr.JavaProcess;
import org.dl4jsr.backend.Bf16CpuBackend;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;

/** The backend where nd4j-cuda is not on the class path, as for these tests, and where it is but has no libraries. */
@Tag("slow")
class Bf16CudaBackendTest {

    @Test
    void withoutNd4jCudaItComesLastAndIsNotAvailable() {
        List<Nd4jBackend> backends = ServiceLoader.load(Nd4jBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(backend -> backend.getClass().getName().startsWith("org.dl4jsr"))
                .toList();
        assertEquals(
                List.of(Bf16CpuBackend.class, Bf16CudaBackend.class),
                backends.stream().map(Object::getClass).toList());
        Nd4jBackend cuda = backends.get(1);
        assertTrue(cuda.getPriority() < Nd4jBackend.BACKEND_PRIORITY_CPU);
        assertFalse(cuda.isAvailable());
        assertNull(Bf16CudaBackend.problem());
        assertEquals(Bf16CpuBackend.class, Nd4j.getBackend().getClass());
    }

    @Test
    void withNd4jCudaButNoDriverItSaysSoAndTheCpuWorks() throws Exception {
        String output = run(System.getProperty("java.class.path")
                + File.pathSeparator
                + CudaLinkageTest.jars().stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)));
        assertTrue(output.contains("priority 150\n"), output);
        assertTrue(output.contains("problem nd4j-cuda is on the class path, but "), output);
        assertTrue(output.contains("backend " + Bf16CpuBackend.class.getName()), output);
    }

    @Test
    void withoutAnyBackendNd4jSaysSo() throws Exception {
        String output = run(Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !Path.of(entry).getFileName().toString().startsWith("nd4j-native-1"))
                .collect(Collectors.joining(File.pathSeparator)));
        assertTrue(output.contains("NoAvailableBackendException: Please ensure that you have an nd4j backend"), output);
    }

    private static String run(String classPath) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(JavaProcess.command("-cp", classPath, Bf16CudaBackendTest.class.getName()))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }

    /** What the process does. */
    public static void main(String[] arguments) throws ClassNotFoundException {
        var backend = new Bf16CudaBackend();
        System.out.println("priority " + backend.getPriority());
        System.out.println("problem " + Bf16CudaBackend.problem());
        System.out.println("backend " + Nd4j.getBackend().getClass().getName());
    }
}
