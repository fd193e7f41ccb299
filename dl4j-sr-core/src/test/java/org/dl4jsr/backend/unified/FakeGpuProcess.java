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
import java.util.stream.Collectors;
import org.dl4jsr.JavaProcess;
import org.dl4jsr.kernel.cuda.FakeCuda;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs programs, and tests again, in a process of its own whose ops run on the fake GPU. Whoever touches memory there for
 * which nobody has waited ends the process.
 */
public final class FakeGpuProcess {

    private static final int FRAMES = 40;

    private FakeGpuProcess() {}

    /** Runs these tests, each a class or one of its methods, as in {@code name.of.Class#method}; all must pass. */
    public static void runTests(Path directory, String... tests) throws IOException, InterruptedException {
        run(directory, FakeGpuProcess.class, tests);
    }

    /** What the program, whose {@code main} calls {@link #start} first, prints until it ends well. */
    public static String run(Path directory, Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        Path report = directory.resolve("crash.txt");
        List<String> command = JavaProcess.command(
                "-XX:ErrorFile=" + report,
                "-Dorg.dl4jsr.device=gpu",
                "-cp",
                Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                        .filter(entry ->
                                !entry.contains("cuda-redist")) // a real NVRTC makes code that the fake cannot run
                        .collect(Collectors.joining(File.pathSeparator)),
                program.getName());
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("OMP_NUM_THREADS", "1");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> output + frames(report));
        return output;
    }

    /** Loads the fake GPU and sets its trap. */
    public static void start() {
        FakeCuda.load();
        FakeCuda.setTrap(FakeCuda.Trap.GIVERS);
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
        start();
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
