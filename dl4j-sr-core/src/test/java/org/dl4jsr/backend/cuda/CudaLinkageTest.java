package org.dl4jsr.backend.cuda;

import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.Location;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.dl4jsr.backend.Bf16Backend;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Our classes against those of nd4j-cuda-11.6 and its bindings of CUDA 11.6, read as files: nothing is loaded. */
@Tag("slow")
class CudaLinkageTest {

    private static final String EXECUTIONER = "org.nd4j.linalg.jcublas.ops.executioner.CudaExecutioner";

    private static JavaClasses classes;

    @BeforeAll
    static void load() {
        classes = new ClassFileImporter()
                .withImportOption(location -> !location.matches(Pattern.compile(
                        ".*/(bindings|cudnn|cufft|curand|cusolver|cusparse|npp\\w*|nv(comp|jpeg|ml)).*")))
                .importLocations(Stream.concat(
                                jars().stream().map(jar -> URI.create("jar:" + jar.toUri() + "!/")),
                                Stream.of("backend", "kernel/cuda").map(CudaLinkageTest::ourPackage))
                        .map(Location::of)
                        .toList());
    }

    /** 100 MB, which every collection in later tests would mark. */
    @AfterAll
    static void drop() {
        classes = null;
    }

    static List<Path> jars() {
        File[] jars = new File("target/nd4j-cuda")
                .listFiles((directory, name) -> name.endsWith(".jar") && !name.contains("linux"));
        assertEquals(3, jars == null ? 0 : jars.length, "Maven copies them to target/nd4j-cuda");
        return Arrays.stream(jars).map(File::toPath).toList();
    }

    private static URI ourPackage(String path) {
        return URI.create(
                Bf16Backend.class.getProtectionDomain().getCodeSource().getLocation() + "org/dl4jsr/" + path);
    }

    private static Stream<JavaClass> ours() {
        return classes.stream().filter(type -> type.getPackageName().startsWith("org.dl4jsr"));
    }

    /** Compiled against newer bindings of CUDA, they have to find everything in the older ones. */
    @Test
    void everythingWeUseExists() {
        Set<String> missing = ours().flatMap(type -> type.getAccessesFromSelf().stream())
                .filter(access -> isCuda(access.getTargetOwner()))
                .filter(access -> access.getTarget().resolveMember().isEmpty())
                .map(JavaAccess::getDescription)
                .collect(toCollection(TreeSet::new));
        assertEquals(Set.of(), missing);
        long checked = ours().flatMap(type -> type.getAccessesFromSelf().stream())
                .filter(access -> isCuda(access.getTargetOwner()))
                .count();
        assertTrue(checked > 100, checked + " accesses");
    }

    private static boolean isCuda(JavaClass type) {
        String name = type.getPackageName();
        return name.startsWith("org.nd4j.jita")
                || name.startsWith("org.nd4j.linalg.jcublas")
                || name.startsWith("org.bytedeco.cuda");
    }

    /** Where ND4J's executioner hands ops to native code, ours comes first. */
    @Test
    void allOpsPassOurExecutioner() {
        JavaClass stock = classes.get(EXECUTIONER);
        JavaClass ours = classes.get("org.dl4jsr.backend.cuda.GpuExecutioner");
        Set<JavaCodeUnit> unguarded = new TreeSet<>(Comparator.comparing(JavaCodeUnit::getFullName));
        stock.getMethodCallsFromSelf().stream()
                .filter(call -> call.getTargetOwner().getSimpleName().equals("NativeOps"))
                .filter(call -> call.getName().matches("exec[A-Z].*|scatterUpdate|calculateOutputShapes.*"))
                .map(JavaAccess::getOrigin)
                .filter(method -> !isOverridden(method, ours))
                .forEach(unguarded::add);
        assertTrue(unguarded.size() < stock.getMethods().size());
        for (JavaCodeUnit method : unguarded) { // then all its callers are ours to guard
            Set<JavaCodeUnit> callers = stock.getMethodCallsFromSelf().stream()
                    .filter(call -> call.getTarget()
                            .resolveMember()
                            .filter(method::equals)
                            .isPresent())
                    .map(JavaAccess::getOrigin)
                    .collect(toCollection(HashSet::new));
            assertTrue(
                    !callers.isEmpty() && callers.stream().allMatch(caller -> isOverridden(caller, ours)),
                    method.getFullName() + " is called by " + callers);
        }
        assertEquals(
                Set.of("naiveExec", "intercept"),
                unguarded.stream().map(JavaCodeUnit::getName).collect(toCollection(TreeSet::new)));
    }

    /** What ND4J gets wrong on the CPU, it gets wrong on a GPU. */
    @ParameterizedTest
    @CsvSource({
        "CpuExecutioner, GpuExecutioner, createShapeInfo", // toFlatArray permutes 'f' order there: docs/gpu.md
        "Bf16NDArrayFactory, Bf16CudaNDArrayFactory, ''",
        "Bf16DataBuffer, Bf16CudaDataBuffer, dup", // which copies bytes in nd4j-cuda
        "Bf16DataBufferFactory, Bf16CudaDataBufferFactory, view" // which is not ND4J's: for UnifiedDataBufferFactory
    })
    void whatTheCpusClassesOverrideOursDo(String cpu, String cuda, String butFor) {
        Set<String> missing = methodNames(classes.get("org.dl4jsr.backend." + cpu));
        missing.removeAll(methodNames(classes.get("org.dl4jsr.backend.cuda." + cuda)));
        assertEquals(butFor, String.join(" ", missing));
    }

    private static Set<String> methodNames(JavaClass type) {
        return type.getMethods().stream()
                .filter(method -> !method.getModifiers().contains(JavaModifier.PRIVATE))
                .map(JavaCodeUnit::getName)
                .collect(toCollection(TreeSet::new));
    }

    private static boolean isOverridden(JavaCodeUnit method, JavaClass ours) {
        return ours.getMethods().stream()
                .anyMatch(candidate -> candidate.getName().equals(method.getName())
                        && rawParameters(candidate).equals(rawParameters(method)));
    }

    private static List<String> rawParameters(JavaCodeUnit method) {
        return method.getRawParameterTypes().stream().map(JavaClass::getName).toList();
    }

    @Test
    void configurationIsNd4jsWithOurClasses() {
        Properties ours = load(CudaLinkageTest.class.getResource("/org/dl4jsr/backend/cuda/nd4j-cuda.properties"));
        Properties stock = load(jars().stream()
                .map(CudaLinkageTest::configuration)
                .filter(url -> url != null)
                .findFirst()
                .orElseThrow());
        stock.remove("fft"); // names a class that does not exist
        assertEquals(stock.stringPropertyNames(), ours.stringPropertyNames());
        for (String key : ours.stringPropertyNames()) {
            String value = ours.getProperty(key);
            if (value.startsWith("org.dl4jsr.")) {
                JavaClass type = classes.get(value);
                assertTrue(
                        type.isAssignableTo(stock.getProperty(key).trim()),
                        value + " in place of " + stock.getProperty(key));
            } else {
                assertEquals(stock.getProperty(key).trim(), value, key);
            }
        }
    }

    private static URL configuration(Path jar) {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.getEntry("nd4j-jcublas.properties") == null
                    ? null
                    : new URL("jar:" + jar.toUri() + "!/nd4j-jcublas.properties");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Properties load(URL resource) {
        try (InputStream in = resource.openStream()) {
            var properties = new Properties();
            properties.load(in);
            return properties;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
