package org.dl4jsr.examples;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * The app in a process of its own, as a user starts it.
 *
 * @param classPath where the app and its libraries are
 * @param wrapper command before Java, such as {@code env}
 * @param java options of Java
 * @param environment variables beside those of this process
 * @param arguments of the app
 */
public record AppProcess(
        String classPath,
        List<String> wrapper,
        List<String> java,
        Map<String, String> environment,
        List<String> arguments) {

    /** One thread, and a JVM that starts fast rather than runs fast. */
    private static final List<String> SMALL = List.of("-Xmx400m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

    private static final int SECONDS_AT_MOST = 120;

    public AppProcess {
        environment = Map.copyOf(environment);
    }

    /** What a process ended with; its error stream as UTF-8. */
    public record Outcome(int exitCode, String error) {}

    public static AppProcess of(String... arguments) {
        return new AppProcess(
                System.getProperty("java.class.path"),
                List.of(),
                SMALL,
                Map.of("OMP_NUM_THREADS", "1"),
                List.of(arguments));
    }

    /** A run of a context of 8 tokens, one a step, in {@code run}. */
    public static AppProcess pretrain(Path run, Path text, int steps) {
        return of(
                "pretrain",
                "--out",
                run.toString(),
                "--text",
                text.toString(),
                "--batch",
                "1",
                "--context",
                "8",
                "--tokens",
                "" + 8 * steps);
    }

    /** The run in {@code run}, gone on with. */
    public static AppProcess resume(Path run) {
        return of("pretrain", "--resume", run.toString());
    }

    AppProcess withClassPath(String newClassPath) {
        return new AppProcess(newClassPath, wrapper, java, environment, arguments);
    }

    public AppProcess wrappedIn(String... command) {
        return new AppProcess(classPath, List.of(command), java, environment, arguments);
    }

    public AppProcess withJava(String... options) {
        List<String> all = new ArrayList<>(java);
        all.addAll(List.of(options));
        return new AppProcess(classPath, wrapper, all, environment, arguments);
    }

    public AppProcess with(Map<String, String> variables) {
        Map<String, String> all = new TreeMap<>(environment);
        all.putAll(variables);
        return new AppProcess(classPath, wrapper, java, all, arguments);
    }

    /** Its standard output is dropped. */
    public Process start() throws IOException {
        return builder().start();
    }

    /** Starts it and waits for its end; one that hangs is killed and has exit code 137. */
    public Outcome run() throws IOException, InterruptedException {
        Path error = Files.createTempFile("app", ".err");
        try {
            Process process = builder().redirectError(error.toFile()).start();
            if (!process.waitFor(SECONDS_AT_MOST, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
            return new Outcome(process.exitValue(), new String(Files.readAllBytes(error), StandardCharsets.UTF_8));
        } finally {
            Files.delete(error);
        }
    }

    private ProcessBuilder builder() {
        List<String> command = new ArrayList<>(wrapper);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(java);
        command.addAll(List.of("-cp", classPath, Main.class.getName()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().putAll(environment);
        return builder;
    }
}
