package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.dl4jsr.backend.unified.FakeGpuProcess;
import org.dl4jsr.examples.command.App;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * The app on the fake GPU, in a process that ends where the CPU touches memory without having waited: its losses are the
 * CPU's, and what the GPU has no memory for is refused.
 */
@Tag("slow")
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class AppOnGpuTest {

    /** Of a loss, whose sums are taken in another order; the weights are BF16. */
    private static final double BOUND = 0.01;

    /** Bytes that are left to CUDA itself. */
    private static final long RESERVE = 512L << 20;
    /** Enough for the arrays of these runs; Java alone has more, which is not the GPU's. */
    private static final long LEFT = 256L << 20;

    /** CUDA's, which are not on the class path of the other tests: it would let each process ask for a GPU. */
    private static final Path BINDINGS = Path.of("target/cuda").toAbsolutePath();

    @TempDir
    private Path directory;

    @Test
    void lossesAreTheCpus() throws Exception {
        Path onCpu = Files.createDirectory(directory.resolve("cpu"));
        Path onGpu = Files.createDirectory(directory.resolve("gpu"));
        main(onCpu.toString());
        var settings = Map.of("FAKE_GPU_MEMORY", "" + (RESERVE + LEFT));
        String output = onGpu(settings, AppOnGpuTest.class, onGpu.toString()).outputOfSuccess();
        assertTrue(output.contains("ran: compare"), output);
        for (String file : List.of("run/metrics.csv", "finetuned/metrics.csv", "compared/compare.csv")) {
            List<Double> expected = losses(onCpu.resolve(file));
            List<Double> actual = losses(onGpu.resolve(file));
            assertEquals(expected.size(), actual.size(), output);
            for (int i = 0; i < expected.size(); i++) {
                assertEquals(expected.get(i), actual.get(i), BOUND, file + " row " + i);
            }
        }
    }

    @Test
    void whatTheGpuHasNoMemoryForIsRefused() throws Exception {
        var outcome = onGpu(Map.of("FAKE_GPU_MEMORY", "" + 2 * RESERVE), Main.class, "bench", "--preset", "gpt2-124m");
        assertEquals(App.BAD_INPUT, outcome.exitCode(), outcome.output());
        assertTrue(
                outcome.output()
                        .matches("(?s).*Error: Not enough memory: gpt2-124m under fp32 .* needs about \\S+ GiB and"
                                + " 512.0 MiB are available; a smaller --batch.*"),
                outcome::output);
    }

    private FakeGpuProcess.Outcome onGpu(Map<String, String> settings, Class<?> program, String... arguments)
            throws Exception {
        String classPath =
                String.join(File.pathSeparator, System.getProperty("java.class.path"), BINDINGS + File.separator + "*");
        return FakeGpuProcess.outcome(directory, settings, classPath, program, arguments);
    }

    /** The commands of the app, in a folder of their own; ends at the first one that fails. */
    public static void main(String... arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        String text = Files.writeString(
                        folder.resolve("text"),
                        IntStream.range(0, 40).mapToObj(i -> "line " + i * i).collect(Collectors.joining("\n")))
                .toString();
        String run = folder.resolve("run").toString();
        String exported = folder.resolve("exported").toString();
        app("pretrain", "--out", run, "--text", text, "--batch", "2", "--context", "8", "--tokens", "32");
        app("pretrain", "--resume", run, "--tokens", "64");
        app("sample", "--model", run, "--tokens", "5", "--prompt", "line 1");
        app("export", "--model", run, "--to", exported);
        String finetuned = folder.resolve("finetuned").toString();
        app(
                "finetune",
                "--from",
                exported,
                "--out",
                finetuned,
                "--text",
                text,
                "--batch",
                "1",
                "--accumulate",
                "2",
                "--context",
                "8",
                "--tokens",
                "32",
                "--policy",
                "bf16-kahan");
        String compared = folder.resolve("compared").toString();
        app(
                "compare",
                "--out",
                compared,
                "--text",
                text,
                "--batch",
                "1",
                "--context",
                "8",
                "--tokens",
                "16",
                "--seeds",
                "1",
                "--policies",
                "bf16-o1,bf16-o2");
    }

    private static void app(String... arguments) {
        int exitCode = App.run(arguments);
        if (exitCode != 0) {
            throw new AssertionError(String.join(" ", arguments) + " ended with " + exitCode);
        }
        System.out.println("ran: " + arguments[0]);
    }

    /** The validation losses in a CSV file. */
    private static List<Double> losses(Path csv) throws IOException {
        List<String> lines = Files.readAllLines(csv);
        int column = List.of(lines.get(0).split(",", -1)).indexOf("val_loss");
        return lines.stream()
                .skip(1)
                .map(line -> line.split(",", -1)[column])
                .filter(loss -> !loss.isEmpty())
                .map(Double::parseDouble)
                .toList();
    }
}
