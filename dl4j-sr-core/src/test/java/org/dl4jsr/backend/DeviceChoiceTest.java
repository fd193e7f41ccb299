package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.dl4jsr.JavaProcess;
import org.dl4jsr.kernel.cuda.FakeCuda;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIf;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a process says of its device, in one line. */
@Tag("slow")
class DeviceChoiceTest {

    private static final String NONE = "problem null";

    @TempDir
    private Path directory;

    @Test
    void otherDevicesAreRefused() throws Exception {
        assertEquals(
                List.of("problem org.dl4jsr.device is tpu, expected cpu or gpu"),
                run("tpu", null).toList());
    }

    @Test
    @DisabledIf("hasDriver")
    void withoutADriver() throws Exception {
        List<String> asked = run("gpu", null).toList();
        assertEquals(1, asked.size(), asked::toString);
        assertTrue(asked.get(0).startsWith("problem org.dl4jsr.device is gpu, but NVIDIA's driver"), asked::toString);
        List<String> byDefault = run(null, null).toList();
        assertEquals(2, byDefault.size(), byDefault::toString);
        assertTrue(byDefault.get(0).startsWith("dl4j-sr: the CPU runs, because NVIDIA's driver"), byDefault::toString);
        assertEquals(NONE, byDefault.get(1));
    }

    @ParameterizedTest
    @CsvSource({"libcublas.so.13,cublas", "libnvrtc.so.13,nvrtc"})
    @EnabledIf(value = "isFakeAlone", disabledReason = "needs g++ on Linux x86-64, and no real libraries")
    void aLibraryThatDoesNotLoad(String missing, String name) throws Exception {
        List<String> lines = run("gpu", missing).toList();
        assertEquals(1, lines.size(), lines::toString);
        assertTrue(lines.get(0).startsWith("problem org.dl4jsr.device is gpu, but "), lines::toString);
        assertTrue(lines.get(0).contains(name), lines::toString);
    }

    @Test
    @EnabledIf(value = "isFakeAlone", disabledReason = "needs g++ on Linux x86-64, and no real libraries")
    void theGpuThatIsThere() throws Exception {
        assertEquals(
                List.of(
                        "dl4j-sr: ops run on Fake GPU (device 0, compute capability 9.0), in memory that it shares with"
                                + " the CPU",
                        NONE),
                run(null, "nothing").toList());
    }

    @Test
    @EnabledIf(value = "isFakeAlone", disabledReason = "needs g++ on Linux x86-64, and no real libraries")
    void aGpuThatCannotShareItsMemory() throws Exception {
        assertEquals(
                List.of(
                        "dl4j-sr: the CPU runs, because Fake GPU (device 0, compute capability 9.0) cannot share its"
                                + " memory with the CPU while kernels run",
                        NONE),
                run(null, "nothing", "apart").toList());
    }

    static boolean hasDriver() {
        return Files.exists(Path.of("/dev/nvidiactl"));
    }

    static boolean isFakeAlone() {
        return FakeCuda.canBeBuilt() && !hasDriver();
    }

    /**
     * What a process prints.
     *
     * @param device that it asks for, or null
     * @param missing the library that the fake GPU has not; null for no fake GPU
     */
    private Stream<String> run(String device, String missing, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = JavaProcess.command(
                "-Dorg.bytedeco.javacpp.cachedir=" + directory.resolve("cache")); // the user's may hold real libraries
        if (device != null) {
            command.add("-D" + DeviceChoice.DEVICE_PROPERTY + "=" + device);
        }
        command.addAll(List.of(
                "-cp",
                Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                        .filter(entry -> !entry.contains("cuda-redist"))
                        .collect(Collectors.joining(File.pathSeparator)),
                DeviceChoiceTest.class.getName()));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        if (missing != null) {
            for (Path library : FakeCuda.libraries()) {
                if (!library.getFileName().toString().equals(missing)) {
                    Files.createSymbolicLink(directory.resolve(library.getFileName()), library);
                }
            }
            builder.environment().put("LD_LIBRARY_PATH", directory.toString());
            builder.environment()
                    .put("LD_PRELOAD", directory.resolve("libcuda.so.1").toString()); // for cuBLAS's names
        }
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output.lines().filter(line -> !line.startsWith("SLF4J"));
    }

    /** What the process does. */
    public static void main(String[] arguments) {
        if (arguments.length > 0) {
            FakeCuda.setConcurrentManagedAccess(false);
        }
        System.out.println("problem " + Bf16CpuBackend.problem());
    }
}
