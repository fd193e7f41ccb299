package org.dl4jsr.consumer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Loader;
import org.dl4jsr.JavaProcess;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** None of these processes has an SLF4J binding: what they say is seen by everybody. */
@Timeout(300)
@Tag("slow")
class ConsumerTest {

    private static final String JAVACPP = ".*javacpp-[0-9.]+(-" + Loader.getPlatform() + ")?\\.jar";
    private static final String KERNELS = "org/dl4jsr/kernel/cpu/" + Loader.getPlatform();

    @TempDir
    private static Path directory;

    private static String model;
    private static String stockModel;

    @BeforeAll
    static void save() throws IOException {
        File file = directory.resolve("model.zip").toFile();
        Consumer.trained().save(file, true);
        model = file.toString();
        File stock = directory.resolve("stock.zip").toFile();
        Consumer.stock().save(stock, true);
        stockModel = stock.toString();
    }

    /** What a process on this class path prints, both streams. */
    private static String run(List<Path> classPath, String... options) throws Exception {
        var command = JavaProcess.command();
        command.addAll(List.of(options));
        command.addAll(List.of(
                "-cp",
                classPath.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)),
                Consumer.class.getName(),
                model,
                stockModel));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment()
                .put("OMP_NUM_THREADS", "1"); // by default there may be more than processors, with a warning
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    /** This process's class path without an SLF4J binding: the tests' classes, ours, and jars. */
    private static List<Path> classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.contains("logback"))
                .map(Path::of)
                .toList();
    }

    private static Path ourClasses() {
        return Path.of(Bf16Policy.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .getPath());
    }

    private static boolean isOurs(Path entry) {
        return entry.equals(ourClasses());
    }

    private static List<Path> without(Predicate<Path> left) {
        return classPath().stream().filter(left.negate()).toList();
    }

    private static List<Path> concat(List<Path> first, List<Path> second) {
        var all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }

    private static void assertWorks(String output) {
        assertTrue(output.contains("\ntrain: "), output);
        assertTrue(output.contains("\nrestore: "), output);
        assertTrue(output.contains("\nsafe restore: "), output);
        assertTrue(output.contains("runtime: backend org.dl4jsr.backend.Bf16CpuBackend; kernels native "), output);
        assertTrue(output.contains("; matmul oneDNN ") || output.contains("widened to FLOAT, oneDNN "), output);
        assertFalse(output.contains("WARNING"), output);
    }

    private static void assertStops(String output, String... reasons) {
        for (String step : List.of("train", "restore", "safe restore", "runtime")) {
            String line = output.lines()
                    .filter(candidate -> candidate.startsWith(step + " stops: "))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(step + " does not stop: " + output));
            for (String reason : reasons) {
                assertTrue(line.contains(reason), output);
            }
        }
        assertTrue(output.contains("\nFLOAT: 2"), output);
    }

    @Test
    void dl4jSrFirst() throws Exception {
        assertWorks(run(concat(List.of(ourClasses()), without(ConsumerTest::isOurs))));
    }

    @Test
    void nd4jFirst() throws Exception {
        assertWorks(run(concat(without(ConsumerTest::isOurs), List.of(ourClasses()))));
    }

    /** As Maven resolves it for a project that declares nd4j-native first: JavaCPP's classes, or its natives, too. */
    @Test
    void olderJavaCpp() throws Exception {
        List<Path> others = without(entry -> entry.getFileName().toString().matches(JAVACPP));
        assertEquals(classPath().size() - 2, others.size());
        Path old = Path.of("target", "nd4j-javacpp");
        Path classes = old.resolve("javacpp-1.5.7.jar");
        Path natives = old.resolve("javacpp-1.5.7-" + Loader.getPlatform() + ".jar");
        assertTrue(Files.exists(classes) && Files.exists(natives), "Maven copies them to " + old);
        assertWorks(run(concat(List.of(classes, natives), others)));
        assertWorks(run(concat(
                List.of(classes),
                without(entry -> entry.getFileName().toString().matches("javacpp-[0-9.]+\\.jar")))));
    }

    @Test
    void shadedJarWithoutMergedServices() throws Exception {
        assertStops(
                run(shaded("nd4j-first.jar", false, true)),
                "needs dl4j-sr's ND4J backend, and org.nd4j.linalg.cpu.nativecpu.CpuBackend is in force: no"
                        + " META-INF/services/org.nd4j.linalg.factory.Nd4jBackend on the class path names"
                        + " org.dl4jsr.backend.Bf16CpuBackend",
                "<transformer implementation=\"org.apache.maven.plugins.shade.resource.ServicesResourceTransformer\"/>");
        assertWorks(run(shaded("dl4j-sr-first.jar", false, false)));
    }

    @Test
    void fatJar() throws Exception {
        assertWorks(run(shaded("fat.jar", true, true)));
    }

    /** One jar of ours, nd4j-native's and JavaCPP's classes, and the others as they are, which announce no backend. */
    private static List<Path> shaded(String name, boolean mergeServices, boolean nd4jFirst) throws IOException {
        Predicate<Path> joined = entry -> isOurs(entry)
                || entry.getFileName()
                        .toString()
                        .matches("(nd4j-native-[0-9.]+-M[0-9.]+|javacpp-[0-9.]+|dnnl-[0-9.-]+)\\.jar");
        List<Path> parts = new ArrayList<>(classPath().stream()
                .filter(joined)
                .filter(entry -> !isOurs(entry))
                .toList());
        parts.add(nd4jFirst ? parts.size() : 0, ourClasses());
        Path jar = directory.resolve(name);
        ShadedJar.write(jar, parts, mergeServices);
        return concat(List.of(jar), without(joined));
    }

    @Test
    void builtWithoutNativeKernels() throws Exception {
        String output = run(withOurClassesBut(KERNELS, null));
        assertTrue(
                output.contains("dl4j-sr: WARNING: the far slower Java kernels run, because this jar was built without"
                        + " native kernels for " + Loader.getPlatform() + ": install g++, then mvn clean package"),
                output);
        assertTrue(output.contains("\ntrain: ") && output.contains("kernels Java, "), output);
    }

    @Test
    void nativeKernelsThatDoNotLoad() throws Exception {
        List<Path> classPath = withOurClassesBut(KERNELS, "no library");
        assertStops(
                run(classPath),
                "dl4j-sr's native kernels do not load: java.lang.UnsatisfiedLinkError: ",
                "file too short. To run on Java kernels, far slower, set -Dorg.dl4jsr.kernel.level=java");
        String chosen = run(classPath, "-Dorg.dl4jsr.kernel.level=java");
        assertTrue(chosen.contains("\ntrain: ") && chosen.contains("kernels Java, "), chosen);
    }

    /** The class path with a copy of our classes in which each file of a folder is left out or holds {@code content}. */
    private static List<Path> withOurClassesBut(String folder, String content) throws IOException {
        Path copy = Files.createTempDirectory(directory, "classes");
        try (var files = Files.walk(ourClasses())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = copy.resolve(ourClasses().relativize(file).toString());
                if (!file.startsWith(ourClasses().resolve(folder))) {
                    Files.createDirectories(target.getParent());
                    Files.copy(file, target);
                } else if (content != null) {
                    Files.createDirectories(target.getParent());
                    Files.writeString(target, content);
                }
            }
        }
        return concat(List.of(copy), without(ConsumerTest::isOurs));
    }

    @Test
    void withoutOneDnn() throws Exception {
        List<Path> classPath =
                without(entry -> entry.getFileName().toString().matches("dnnl-.*" + Loader.getPlatform() + "\\.jar"));
        assertStops(
                run(classPath),
                "oneDNN for " + Loader.getPlatform() + ", which dl4j-sr multiplies by, is not on the class path");
        String chosen = run(classPath, "-Dorg.dl4jsr.kernel.level=java");
        assertTrue(chosen.contains("\ntrain: ") && chosen.contains("matmul Java loops"), chosen);
        assertTrue(chosen.contains("dl4j-sr: WARNING: matrix products run on Java loops, very slow"), chosen);
    }

    /** ND4J itself would stay uninitialized, without a word. */
    @Test
    void otherBackendNamed() throws Exception {
        assertStops(
                run(classPath(), "-Dbackends=org.nd4j.linalg.cpu.nativecpu.CpuBackend"),
                "the system property backends is org.nd4j.linalg.cpu.nativecpu.CpuBackend; leave it out or set it to"
                        + " org.dl4jsr.backend.Bf16CpuBackend");
    }
}
