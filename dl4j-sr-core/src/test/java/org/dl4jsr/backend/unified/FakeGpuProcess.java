package org.dl4jsr.backend.unified;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.dl4jsr.JavaProcess;
import org.dl4jsr.kernel.cuda.FakeCuda;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs programs, and tests again, in a process of its own whose ops run on the fake GPU, and in the processes that it
 * starts. Whoever touches memory there for which nobody has waited ends the process.
 */
public final class FakeGpuProcess {

    private static final int FRAMES = 40;

    private FakeGpuProcess() {}

    /** How a program ended, and what it printed. */
    public record Outcome(int exitCode, String output) {

        /** What a program printed that must have ended well. */
        public String outputOfSuccess() {
            assertEquals(0, exitCode, output);
            return output;
        }
    }

    /** Runs these tests, each a class or one of its methods, as in {@code name.of.Class#method}; all must pass. */
    public static void runTests(Path directory, String... tests) throws IOException, InterruptedException {
        run(directory, FakeGpuProcess.class, tests);
    }

    /** What the program prints until it ends well. */
    public static String run(Path directory, Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        return outcome(directory, Map.of(), program, arguments).outputOfSuccess();
    }

    /**
     * How the program ends on the class path of the tests.
     *
     * @param settings of the GPU, by the names of {@code fake_cuda.h}
     */
    public static Outcome outcome(Path directory, Map<String, String> settings, Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        return outcome(directory, settings, System.getProperty("java.class.path"), program, arguments);
    }

    /**
     * How the program ends.
     *
     * @param classPath has CUDA's bindings
     */
    public static Outcome outcome(
            Path directory, Map<String, String> settings, String classPath, Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        Path report = directory.resolve("crash.txt");
        List<String> command = JavaProcess.command(
                "-XX:ErrorFile=" + report,
                "-Dorg.dl4jsr.device=gpu",
                "-Dorg.dl4jsr.kernel.cuda.cache=" + directory.resolve("kernels"),
                "-cp",
                Arrays.stream(classPath.split(File.pathSeparator))
                        .filter(entry ->
                                !entry.contains("cuda-redist")) // a real NVRTC makes code that the fake cannot run
                        .collect(Collectors.joining(File.pathSeparator)),
                program.getName());
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("OMP_NUM_THREADS", "1");
        builder.environment().put("LD_LIBRARY_PATH", FakeCuda.directory().toString());
        builder.environment().put("FAKE_GPU_TRAP", "" + FakeCuda.Trap.GIVERS.ordinal());
        builder.environment().putAll(settings);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exitCode = process.waitFor();
        return new Outcome(exitCode, output + frames(report));
    }

    /** The stack of the thread that ended the process. */
    private static String frames(Path report) {
        try {
            return !Files.exists(report)
                    ? ""
                    : Files.readAllLines(report).stream()
                            .dropWhile(line -> !line.startsWith("Java frames") && !line.startsWith("Native frames"))
                            .takeWhile(line -> !line.isEmpty())
                            .limit(FRAMES)
                            .collect(Collectors.joining("\n"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Runs tests. */
    public static void main(String[] tests) {
        var request = LauncherDiscoveryRequestBuilder.request();
        for (String name : tests) {
            request.selectors(name.contains("#") ? selectMethod(name) : selectClass(name));
        }
        var listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request.build(), listener);
        TestExecutionSummary summary = listener.getSummary();
        summary.printFailuresTo(new PrintWriter(System.out, true, StandardCharsets.UTF_8), FRAMES);
        boolean all = summary.getTotalFailureCount() == 0
                && summary.getTestsSucceededCount() == summary.getTestsFoundCount()
                && summary.getTestsFoundCount() >= tests.length;
        System.exit(all ? 0 : 1);
    }
}
