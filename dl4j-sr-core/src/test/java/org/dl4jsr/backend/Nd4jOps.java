package org.dl4jsr.backend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.factory.Nd4j;

/** The ops that ND4J has: those of its native library, and its classes. */
final class Nd4jOps {

    private Nd4jOps() {}

    /** The custom ops of the native library; each list holds the names of one op. */
    static Map<Long, Set<String>> custom() {
        Map<Long, Set<String>> names = new TreeMap<>();
        Nd4j.getExecutioner().getCustomOperations().forEach((name, op) -> names.computeIfAbsent(
                        op.getHash(), hash -> new TreeSet<>())
                .add(name));
        return names;
    }

    static Set<String> customNames() {
        return new TreeSet<>(Nd4j.getExecutioner().getCustomOperations().keySet());
    }

    /** The classes of the ops of the old kind. */
    static List<Class<? extends Op>> legacyClasses() {
        return classes().stream()
                .filter(type -> Op.class.isAssignableFrom(type))
                .<Class<? extends Op>>map(type -> type.asSubclass(Op.class))
                .filter(type -> !CustomOp.class.isAssignableFrom(type))
                .toList();
    }

    /** The names under which classes of ND4J call custom ops. */
    static Set<String> customNamesOfClasses() {
        return classes().stream()
                .filter(CustomOp.class::isAssignableFrom)
                .map(Nd4jOps::name)
                .filter(name -> name != null)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The name of the op of this class; null where it has no constructor without arguments or no name. */
    static String name(Class<?> type) {
        try {
            var constructor = type.getDeclaredConstructor();
            constructor.setAccessible(true);
            Object op = constructor.newInstance();
            return op instanceof Op legacy ? legacy.opName() : ((CustomOp) op).opName();
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }

    private static List<Class<?>> classes() {
        try (var jar = new JarFile(Path.of(Op.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .toFile())) {
            return jar.stream()
                    .map(entry -> entry.getName().replace('/', '.'))
                    .filter(name -> name.startsWith("org.nd4j.linalg.api.ops.") && name.endsWith(".class"))
                    .filter(name -> !name.contains("$"))
                    .<Class<?>>map(name -> load(name.substring(0, name.length() - ".class".length())))
                    .filter(type -> !Modifier.isAbstract(type.getModifiers()))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (java.net.URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Class<?> load(String name) {
        try {
            return Class.forName(name, false, Op.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
