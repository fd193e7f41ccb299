package org.dl4jsr.examples.run;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.dl4jsr.examples.io.BadInput;

/**
 * This program once more, as the driver of a Spark application: with Spark's libraries, which lie apart from the app's,
 * and the environment that a cluster on this machine needs. It gets its wish to stop through its standard input, so that
 * a signal of a terminal, which goes to both, counts once.
 */
public final class SparkProcess {

    /** The option of the process that this one starts. */
    public static final String OPTION = "--driver";

    private static final String MAIN = "org.dl4jsr.examples.Main";
    private static final String SCALA = "2.12";
    /** Packages that Spark opens by itself where it starts processes. */
    private static final List<String> OPENED = List.of(
            "java.lang",
            "java.lang.invoke",
            "java.io",
            "java.net",
            "java.nio",
            "java.util",
            "java.util.concurrent",
            "sun.nio.ch",
            "sun.nio.cs",
            "sun.security.action",
            "sun.util.calendar");

    private SparkProcess() {}

    /** Whether spark-submit has started this process, with all that it needs. */
    public static boolean isSubmitted() {
        return System.getProperty("spark.master") != null;
    }

    /** Runs the app with these arguments; returns its exit code, or that of a signal that stopped it. */
    public static int run(List<String> arguments) {
        String classPath = classPath();
        try (StopSignal stop = new StopSignal();
                SparkHome home = SparkHome.in(Path.of(System.getProperty("java.io.tmpdir")))) {
            int exitCode = run(arguments, classPath, home.path(), stop);
            Path said = home.path().resolve("work");
            if (exitCode != 0 && !stop.isReceived() && Files.exists(said)) {
                home.keep();
                System.err.println("What the workers have said is in " + said);
            }
            return stop.isReceived() && exitCode != 0 ? stop.exitCode() : exitCode;
        } catch (IOException e) {
            throw new BadInput("--workers cannot start a process: " + BadInput.reason(e), e);
        }
    }

    private static int run(List<String> arguments, String classPath, Path home, StopSignal stop) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        OPENED.forEach(name -> command.add("--add-opens=java.base/" + name + "=ALL-UNNAMED"));
        command.addAll(List.of("-cp", classPath, MAIN));
        command.addAll(arguments);
        command.add(OPTION);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment()
                .putAll(Map.of(
                        "SPARK_HOME",
                        home.toString(),
                        "SPARK_LOCAL_DIRS",
                        home.toString(),
                        "SPARK_SCALA_VERSION",
                        SCALA,
                        "SPARK_LOCAL_IP",
                        "127.0.0.1",
                        "SPARK_LOCAL_HOSTNAME",
                        "localhost"));
        Process process = builder.start();
        try (OutputStream wish = process.getOutputStream()) {
            boolean told = false;
            while (!process.waitFor(100, TimeUnit.MILLISECONDS)) {
                if (stop.isReceived() && !told) {
                    told = true;
                    wish.write(1);
                    wish.flush();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BadInput("Interrupted while the workers trained", e);
        }
        return process.exitValue();
    }

    /** This process's, with Spark. */
    private static String classPath() {
        String own = System.getProperty("java.class.path");
        try {
            Class.forName("org.apache.spark.SparkContext", false, SparkProcess.class.getClassLoader());
            return own;
        } catch (ClassNotFoundException e) {
            return classPath(own, spark());
        }
    }

    static String classPath(String own, Path spark) {
        if (!Files.isDirectory(spark)) {
            throw new BadInput("--workers needs Spark, which is not among the app's libraries: build it in with"
                    + " mvn -q -DskipTests package -Pspark");
        }
        return own + System.getProperty("path.separator") + spark.resolve("*");
    }

    /** Where Spark's libraries lie: beside the app. */
    private static Path spark() {
        try {
            return Path.of(SparkProcess.class
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .resolveSibling("spark");
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
