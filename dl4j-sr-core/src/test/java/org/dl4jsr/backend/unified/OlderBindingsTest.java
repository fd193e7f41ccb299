package org.dl4jsr.backend.unified;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bytedeco.cuda.global.cudart;
import org.dl4jsr.kernel.cuda.FakeCuda;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** The bindings of CUDA 11.6, which nd4j-cuda has, do for a GPU over nd4j-native's arrays, too. */
@Tag("slow")
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class OlderBindingsTest {

    /** What they look for in place of the libraries of CUDA 13. */
    private static final Map<String, String> NAMES = Map.of(
            "libcuda.so.1", "libcuda.so.1",
            "libnvrtc.so.13", "libnvrtc.so.11.2",
            "libcudart.so.13", "libcudart.so.11.0",
            "libcublas.so.13", "libcublas.so.11",
            "libcublasLt.so.13", "libcublasLt.so.11");

    @Test
    void trainAsTheCpu(@TempDir Path directory) throws Exception {
        for (Path library : FakeCuda.libraries()) {
            Files.createSymbolicLink(
                    directory.resolve(NAMES.get(library.getFileName().toString())), library);
        }
        List<String> lines = FakeGpuProcess.outcome(
                        directory,
                        Map.of("LD_LIBRARY_PATH", directory.toString()),
                        olderClassPath(),
                        OlderBindingsTest.class)
                .outputOfSuccess()
                .lines()
                .dropWhile(line -> !line.startsWith("bindings"))
                .toList();
        assertTrue(lines.get(0).contains("cuda-11.6"), lines::toString);
        double[] onCpu = TrainingOnGpuTest.losses(Bf16Policy.SR, new ArrayList<>());
        for (int i = 0; i < onCpu.length; i++) {
            assertEquals(onCpu[i], Double.parseDouble(lines.get(1 + i)), TrainingOnGpuTest.BOUND, "step " + i);
        }
    }

    private static String olderClassPath() throws IOException {
        try (Stream<Path> older = Files.list(Path.of("target/nd4j-cuda"))) {
            return Stream.concat(
                            Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                                    .filter(entry -> !entry.contains(File.separator + "cuda-13")),
                            older.map(Path::toString).filter(jar -> jar.contains(File.separator + "cuda-")))
                    .collect(Collectors.joining(File.pathSeparator));
        }
    }

    /** Where the bindings are from, and the losses of a network's steps, a line each. */
    public static void main(String[] arguments) {
        var bindings = cudart.class.getProtectionDomain().getCodeSource();
        double[] losses = TrainingOnGpuTest.losses(Bf16Policy.SR, new ArrayList<>());
        System.out.println("bindings in " + bindings.getLocation());
        Arrays.stream(losses).forEach(System.out::println);
    }
}
