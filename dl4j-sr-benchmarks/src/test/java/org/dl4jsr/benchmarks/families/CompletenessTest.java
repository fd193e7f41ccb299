package org.dl4jsr.benchmarks.families;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.layers.LayerConstraint;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.Convolution1D;
import org.deeplearning4j.nn.conf.layers.Convolution2D;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.Pooling1D;
import org.deeplearning4j.nn.conf.layers.Pooling2D;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.conf.layers.variational.ReconstructionDistribution;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Whatever DL4J has of a kind is in a family, or in {@link LimitsTest} where M2.1 cannot train it. */
@Tag("slow")
class CompletenessTest {

    /** Other names of layers; their builders build those. */
    private static final Set<Class<?>> ALIASES =
            Set.of(Convolution1D.class, Convolution2D.class, Pooling1D.class, Pooling2D.class);

    private static final String CONFIGURATIONS = Stream.concat(Families.all().stream(), LimitsTest.failsInFloatToo())
            .map(family -> json(family.graph().apply(new NeuralNetConfiguration.Builder())))
            .collect(Collectors.joining());

    /** DL4J defines a lambda vertex to write it, and cannot before it has a data type. */
    private static String json(ComputationGraphConfiguration configuration) {
        configuration.getVertices().values().stream()
                .filter(SameDiffVertex.class::isInstance)
                .forEach(vertex -> ((SameDiffVertex) vertex).setDataType(DataType.FLOAT));
        return configuration.toJson();
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                Layer.class,
                GraphVertex.class,
                InputPreProcessor.class,
                IDropout.class,
                IWeightNoise.class,
                LayerConstraint.class,
                ReconstructionDistribution.class
            })
    void familiesHaveThemAll(Class<?> kind) throws Exception {
        Set<String> missing = new TreeSet<>();
        int found = 0;
        for (Class<?> type : classesOfDl4j()) {
            if (kind.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers()) && !ALIASES.contains(type)) {
                found++;
                if (!CONFIGURATIONS.contains('"' + type.getName() + '"')) {
                    missing.add(type.getName());
                }
            }
        }
        assertTrue(found > 0);
        assertEquals(Set.of(), missing);
    }

    private static Set<Class<?>> classesOfDl4j() throws IOException, URISyntaxException {
        Path jar = Path.of(
                Layer.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (var file = new JarFile(jar.toFile())) {
            return file.stream()
                    .map(JarEntry::getName)
                    .filter(name -> name.startsWith("org/deeplearning4j/nn/conf/") && name.endsWith(".class"))
                    .map(CompletenessTest::loaded)
                    .collect(Collectors.toSet());
        }
    }

    private static Class<?> loaded(String file) {
        String name = file.substring(0, file.length() - ".class".length()).replace('/', '.');
        try {
            return Class.forName(name, false, Layer.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }
}
