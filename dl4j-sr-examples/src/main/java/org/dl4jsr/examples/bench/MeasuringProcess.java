package org.dl4jsr.examples.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.io.JvmFailure;
import org.dl4jsr.examples.run.JavaCppSettings;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.policy.Bf16Runtime;

/** A measurement in a Java process of its own, so that measurements do not share warm code or memory. */
final class MeasuringProcess {

    /** What a program prints of a configuration. */
    interface Measurement {
        String of(RunConfig config) throws IOException;
    }

    private MeasuringProcess() {}

    /** In the process: prints the measurement and exits. */
    static void measure(String json, Measurement measurement) throws IOException {
        JvmFailure.load();
        JavaCppSettings.apply();
        int exitCode = 0;
        try {
            System.out.print(measurement.of(Json.read(json, RunConfig.class)));
        } catch (RuntimeException | Error e) {
            String line = JvmFailure.line(e);
            if (line == null) {
                throw e;
            }
            System.err.println("Error: " + line);
            exitCode = 1;
        }
        System.exit(exitCode);
    }

    /** Runs {@code program} on {@code config} in a Java process like this one and returns what it prints. */
    static String output(Class<?> program, RunConfig config) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        // this process has said which processor it is
        command.add("-Dorg.dl4jsr.device=" + (Bf16Runtime.isOnGpu() ? "gpu" : "cpu"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName(), Json.compact(config)));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new BadInput("The measurement of " + config.policy() + " ended with exit code " + process.exitValue()
                    + ": what it said is above");
        }
        return output;
    }
}
