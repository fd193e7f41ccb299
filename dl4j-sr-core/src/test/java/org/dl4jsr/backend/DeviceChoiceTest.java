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
import java.util.Map;
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
                                + " the CPU; CUDA_VISIBLE_DEVICES chooses another of the 2 GPUs",
                        NONE),
                run(null, "nothing").toList());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "cuStreamCreate=2|there is not enough GPU memory: cuStreamCreate on Fake GPU",
                "cublasCreate_v2=3|there is not enough GPU memory: cublasCreate on Fake GPU",
                "cublasLtCreate=1|NVIDIA's driver does not work: cublasLtCreate on Fake GPU",
                "cuDevicePrimaryCtxRetain=46|NVIDIA's driver does not work: cuDevicePrimaryCtxRetain of device 0 failed"
            })
    @EnabledIf(value = "isFakeAlone", disabledReason = "needs g++ on Linux x86-64, and no real libraries")
    void aGpuThatFailsAtStart(String failure, String reason) throws Exception {
        List<String> lines =
                run(null, "nothing", Map.of("FAKE_GPU_FAIL", failure)).toList();
        assertEquals(2, lines.size(), lines::toString);
        assertTrue(lines.get(0).startsWith("dl4j-sr: the CPU runs, because " + reason), lines::toString);
        assertEquals(NONE, lines.get(1));
    }

    @Test
    @EnabledIf(value = "isFakeAlone", disabledReason = "needs g++ on Linux x86-64, and no real libraries")
    void nothingIsSaidOfTheGpuThatIsAskedFor() throws Exception {
        assertEquals(List.of(NONE), run("gpu", "nothing").toList());
    }

    @Test
    @EnabledIf(value = "isFakeAlone", disabledReason = "needs g++ on Linux x86-64, and no real libraries")
    void noGpuAmongThoseThatAreShown() throws Exception {
        assertEquals(
                List.of(
                        "problem org.dl4jsr.device is gpu, but there is no NVIDIA GPU where CUDA_VISIBLE_DEVICES is '7'"),
                run("gpu", "nothing", Map.of("FAKE_GPU_COUNT", "0", "CUDA_VISIBLE_DEVICES", "7"))
                        .toList());
    }

    @Test
    @EnabledIf(value = "isFakeAlone", disabledReason = "needs g++ on Linux x86-64, and no real libraries")
    void aGpuWhoseMemoryOthersHave() throws Exception {
        assertEquals(
                List.of(
                        "dl4j-sr: the CPU runs, because Fake GPU (device 0, compute capability 9.0) has too little free"
                                + " memory",
                        NONE),
                run(null, "nothing", Map.of("FAKE_GPU_MEMORY", "" + (400 << 20)))
                        .toList());
    }

    @Test
    @EnabledIf(value = "isFakeAlone", disabledReason = "needs g++ on Linux x86-64, and no real libraries")
    void aGpuThatCannotShareItsMemory() throws Exception {
        assertEquals(
                List.of(
                        "dl4j-sr: the CPU runs, because Fake GPU (device 0, compute capability 9.0) cannot share its"
                                + " memory with the CPU while kernels run",
                        NONE),
                run(null, "nothing", Map.of("FAKE_GPU_SHARES", "0")).toList());
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
    private Stream<String> run(String device, String missing) throws IOException, InterruptedException {
        return run(device, missing, Map.of());
    }

    private Stream<String> run(String device, String missing, Map<String, String> settings)
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
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(settings);
        if (missing != null) {
            for (Path library : FakeCuda.libraries()) {
                if (!library.getFileName().toString().equals(missing)) {
                    Files.createSymbolicLink(directory.resolve(library.getFileName()), library);
                }
            }
            builder.environment().put("LD_LIBRARY_PATH", directory.toString());
        }
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output.lines().filter(line -> !line.startsWith("SLF4J"));
    }

    /** What the process does. */
    public static void main(String[] arguments) {
        System.out.println("problem " + Bf16CpuBackend.problem());
    }
}
