package org.dl4jsr.benchmarks.gpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.dl4jsr.JavaProcess;
import org.dl4jsr.benchmarks.contract.KernelCase;
import org.dl4jsr.benchmarks.contract.KernelContract;
import org.dl4jsr.kernel.cuda.FakeCuda;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIf;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/** The self-test's program, on a fake GPU and on none. */
@Tag("slow")
class GpuSelfTestTest {

    /** Two will do: KernelContractTest runs all on the fake GPU. */
    private static final List<KernelCase> CASES = KernelContract.cases().stream()
            .filter(kernelCase -> Set.of("CASTS", "BIAS_GRADIENT").contains(kernelCase.name()))
            .toList();

    private final ByteArrayOutputStream output = new ByteArrayOutputStream();

    @TempDir
    private Path directory;

    @Test
    @EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
    void checksMeasuresAndWritesJson() throws IOException {
        FakeCuda.load();
        Path file = directory.resolve("out.json");
        assertEquals(0, run("--elements", "5000", "--rows", "3", "--out", file.toString()), this::text);
        JsonNode json = new ObjectMapper().readTree(Files.readString(file));
        assertEquals(CASES.size(), json.get("checks").size());
        json.get("checks").forEach(check -> assertTrue(check.get("ok").asBoolean(), check::toString));
        assertEquals("copy", json.get("results").get(0).get("name").asText());
        assertTrue(json.get("results").size() > 30);
        assertTrue(text().contains("Fake GPU (device 0"), this::text);
    }

    @Test
    @EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
    void onlyWhatIsNamed() {
        FakeCuda.load();
        assertEquals(0, run("--elements", "5000", "--rows", "3", "--only", "casts,768x768"), this::text);
        assertTrue(text().contains("check CASTS: agrees with Java"), this::text);
        assertFalse(text().contains("BIAS_GRADIENT"), this::text);
        assertTrue(text().lines().anyMatch(line -> line.startsWith("copy ")), this::text);
        assertEquals(5, text().lines().filter(line -> line.startsWith("gemm ")).count(), this::text);
        assertFalse(text().contains("adamW"), this::text);
        output.reset();
        assertEquals(2, run("--elements", "5000", "--rows", "3", "--only", "none"));
        assertTrue(text().contains("No check or measurement has one of [none] in its name"), this::text);
    }

    @Test
    @EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
    void aFailingCheckIsReported() {
        FakeCuda.load();
        FakeCuda.fail("cuLaunchKernel", 700);
        assertEquals(1, run("--check", "--elements", "100"));
        assertTrue(text().contains("check CASTS: FAILED, cuLaunchKernel of toBFloat16"), this::text);
        assertTrue(text().contains("check BIAS_GRADIENT: agrees with Java"), this::text);
    }

    @Test
    void badOptions() {
        for (String[] bad : new String[][] {{"--rows", "none"}, {"--rows", "0"}, {"--out"}, {"-x", "1"}}) {
            output.reset();
            assertEquals(2, run(bad));
            assertEquals(1, text().lines().count(), this::text);
            assertTrue(text().startsWith(bad[0]), this::text);
        }
    }

    @Test
    @DisabledIf("hasDriver")
    void withoutADriverOneLine() throws IOException, InterruptedException {
        var process = new ProcessBuilder(
                        JavaProcess.command("-cp", System.getProperty("java.class.path"), GpuSelfTest.class.getName()))
                .redirectErrorStream(true)
                .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(2, process.waitFor(), text);
        assertEquals(1, text.lines().count(), text);
        assertTrue(text.startsWith("There is no NVIDIA"), text);
        assertFalse(text.contains("Exception"), text);
    }

    static boolean hasDriver() {
        return Files.exists(Path.of("/dev/nvidiactl"));
    }

    private String text() {
        return output.toString(StandardCharsets.UTF_8);
    }

    private int run(String... arguments) {
        return GpuSelfTest.run(arguments, CASES, new PrintStream(output, true, StandardCharsets.UTF_8));
    }
}
