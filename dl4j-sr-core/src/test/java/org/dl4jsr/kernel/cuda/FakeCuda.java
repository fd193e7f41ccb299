package org.dl4jsr.kernel.cuda;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * CUDA's driver, cuBLAS and NVRTC for machines without a GPU, built by g++ from src/test/cpp: the driver runs the
 * kernels of src/main/cuda on the CPU. Nothing here says anything about a GPU.
 */
public final class FakeCuda {

    /** The folder of dl4j-sr-core, which may not be the current one: target/test-classes or target/*.jar is there. */
    private static final Path CORE = core();

    private static final Path BUILD = CORE.resolve("target/fake-cuda");
    private static final Path TEST_SOURCES = CORE.resolve("src/test/cpp");
    private static final Path MAIN_SOURCES = CORE.resolve("src/main/cuda");
    private static final Path SHARED_SOURCES = CORE.resolve("src/main/shared");
    private static final Path CONSTANTS = CORE.resolve("src/main/java/org/dl4jsr/kernel/cuda/KernelConstant.java");
    private static final List<String> EMPTY_LIBRARIES =
            List.of("libcudart.so.13", "libcublas.so.13", "libcublasLt.so.13");

    /** For whom memory that the CPU shares with the GPU is a trap while it has work that was not waited for. */
    public enum Trap {
        NOBODY,
        /** All threads; for programs that have one. */
        EVERYBODY,
        /** The threads that gave that work: others may rightly be at work on arrays that the GPU does not use. */
        GIVERS
    }

    private static boolean loaded;

    private FakeCuda() {}

    /** For {@code @EnabledIf}: Linux on x86-64 with g++, which the fake needs. */
    public static boolean canBeBuilt() {
        return System.getProperty("os.name").equals("Linux")
                && System.getProperty("os.arch").equals("amd64")
                && Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(directory -> Files.isExecutable(Path.of(directory, "g++")));
    }

    /** For {@code @EnabledIf}: whether there is a real NVRTC, as mvn -Pnvrtc puts it on the class path. */
    static boolean hasNvrtc() {
        return canBeBuilt() && FakeCuda.class.getResource("/org/bytedeco/cuda/linux-x86_64/libnvrtc.so.13") != null;
    }

    /** Builds and loads the libraries, before any class of the CUDA preset is touched. */
    public static synchronized void load() {
        if (loaded) {
            return;
        }
        try {
            buildOnce();
            System.setProperty(
                    KernelCache.DIRECTORY_PROPERTY,
                    Files.createTempDirectory(BUILD, "cache").toString()); // mvn clean deletes it
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Loader.load(Loader.class);
        Loader.loadGlobal(library("libcuda.so.1"));
        if (!hasNvrtc()) {
            Loader.loadGlobal(library("libnvrtc.so.13"));
        }
        EMPTY_LIBRARIES.forEach(name -> Loader.loadGlobal(library(name)));
        loaded = true;
    }

    /** The folder with the libraries, for the library path of another process. */
    public static Path directory() throws IOException {
        buildOnce();
        return BUILD.toAbsolutePath();
    }

    /** The libraries, for the library path of a process that has some of them. */
    public static List<Path> libraries() throws IOException {
        buildOnce();
        return Stream.concat(Stream.of("libcuda.so.1", "libnvrtc.so.13"), EMPTY_LIBRARIES.stream())
                .map(name -> BUILD.resolve(name).toAbsolutePath())
                .toList();
    }

    /** Lets the next call of this name, as it is in the library, return this code. */
    public static void fail(String call, int code) {
        var failure = new BytePointer(Loader.addressof("fakeFailure"));
        failure.putString(call);
        new IntPointer(failure).put(64 / Integer.BYTES, code);
    }

    /** Bytes of memory that each GPU has, 8 GiB unless set. */
    public static void setMemory(long bytes) {
        new LongPointer(Loader.addressof("fakeSettings")).put(bytes);
    }

    /** Kernels so far. */
    public static long launches() {
        return counter(0);
    }

    /** The names of the kernels that have never run. */
    public static Set<String> kernelsThatNeverRan() {
        var names = new TreeSet<String>();
        var kernels = new PointerPointer<BytePointer>(Loader.addressof("fakeKernels"));
        for (long i = 0; kernels.get(i) != null; i += 2) {
            if (kernels.get(i + 1) == null) { // no runs
                names.add(kernels.get(BytePointer.class, i).getString());
            }
        }
        return names;
    }

    static long modules() {
        return counter(1);
    }

    static long allocations() {
        return counter(2);
    }

    /** How often the GPU was waited for. */
    public static long waits() {
        return counter(3);
    }

    private static long counter(int index) {
        return new LongPointer(Loader.addressof("fakeCounters")).get(index);
    }

    private static Path core() {
        try {
            var here = FakeCuda.class.getProtectionDomain().getCodeSource().getLocation();
            return Path.of(here.toURI()).getParent().getParent();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String library(String name) {
        return BUILD.resolve(name).toAbsolutePath().toString();
    }

    private static synchronized void buildOnce() throws IOException {
        Files.createDirectories(BUILD);
        try (var file = FileChannel.open(BUILD.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var lock = file.lock()) { // tests run in several processes at once
            build();
        }
    }

    private static void build() throws IOException {
        String[] libraries = Stream.concat(Stream.of("libcuda.so.1", "libnvrtc.so.13"), EMPTY_LIBRARIES.stream())
                .toArray(String[]::new);
        if (isUpToDate(libraries)) {
            return;
        }
        var objects = new ArrayList<String>();
        for (var source : KernelSource.values()) {
            String object = BUILD.resolve(source.file() + ".o").toString();
            var arguments = new ArrayList<>(KernelConstant.definitions());
            arguments.addAll(List.of(
                    "-c",
                    "-include",
                    TEST_SOURCES.resolve("cuda_on_host.h").toString(),
                    "-x",
                    "c++",
                    MAIN_SOURCES.resolve(source.file()).toString(),
                    "-o",
                    object));
            compile(arguments.toArray(String[]::new));
            objects.add(object);
        }
        for (String name : List.of("fake_cuda.cpp", "fake_memory.cpp", "fake_cublas_lt.cpp")) {
            objects.add(TEST_SOURCES.resolve(name).toString());
        }
        link("libcuda.so.1", objects.toArray(String[]::new));
        link("libnvrtc.so.13", TEST_SOURCES.resolve("fake_nvrtc.cpp").toString());
        for (String name : EMPTY_LIBRARIES) { // all functions are libcuda's
            link(name, "-Wl,--no-as-needed", library("libcuda.so.1"));
        }
    }

    private static boolean isUpToDate(String[] libraries) throws IOException {
        long built = Long.MAX_VALUE;
        for (String name : libraries) {
            if (!Files.exists(BUILD.resolve(name))) {
                return false;
            }
            built = Math.min(
                    built, Files.getLastModifiedTime(BUILD.resolve(name)).toMillis());
        }
        for (Path sources : List.of(TEST_SOURCES, MAIN_SOURCES, SHARED_SOURCES, CONSTANTS)) {
            try (var files = Files.walk(sources, 1)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    if (Files.getLastModifiedTime(file).toMillis() > built) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    private static void link(String name, String... inputs) throws IOException {
        var arguments = new ArrayList<>(List.of(
                "-shared", "-Wl,-soname," + name, "-o", BUILD.resolve(name).toString()));
        arguments.addAll(List.of(inputs));
        compile(arguments.toArray(String[]::new));
    }

    private static void compile(String... arguments) throws IOException {
        var command = new ArrayList<>(List.of(
                "g++",
                "-std=c++17",
                "-O2",
                "-fPIC",
                "-Wall",
                "-ffp-contract=off",
                "-I" + TEST_SOURCES,
                "-I" + MAIN_SOURCES,
                "-I" + SHARED_SOURCES));
        command.addAll(List.of(arguments));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IllegalStateException(String.join(" ", command) + "\n" + output);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
