package org.dl4jsr.consumer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.jar.JarOutputStream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;

/** Joins jars and folders of classes to one jar, as build plugins do: of files of one name the first is taken. */
final class ShadedJar {

    private static final String SERVICES = "META-INF/services/";

    private final JarOutputStream jar;
    private final boolean mergeServices;
    private final Set<String> written = new HashSet<>();
    private final Map<String, ByteArrayOutputStream> services = new TreeMap<>();

    private ShadedJar(JarOutputStream jar, boolean mergeServices) {
        this.jar = jar;
        this.mergeServices = mergeServices;
    }

    /** Writes {@code parts} to {@code target}, joining the files of {@code META-INF/services} where told to. */
    static void write(Path target, List<Path> parts, boolean mergeServices) throws IOException {
        try (OutputStream file = Files.newOutputStream(target);
                var jar = new JarOutputStream(file)) {
            jar.setLevel(Deflater.NO_COMPRESSION);
            var shaded = new ShadedJar(jar, mergeServices);
            for (Path part : parts) {
                if (Files.isDirectory(part)) {
                    shaded.addAll(part);
                } else {
                    try (FileSystem content = FileSystems.newFileSystem(part)) {
                        shaded.addAll(content.getPath("/"));
                    }
                }
            }
            for (var service : shaded.services.entrySet()) {
                shaded.put(service.getKey(), service.getValue().toByteArray());
            }
        }
    }

    private void addAll(Path root) throws IOException {
        try (var files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = root.relativize(file).toString();
                if (mergeServices && name.startsWith(SERVICES)) {
                    var all = services.computeIfAbsent(name, key -> new ByteArrayOutputStream());
                    all.write(Files.readAllBytes(file));
                    all.write('\n');
                } else {
                    put(name, Files.readAllBytes(file));
                }
            }
        }
    }

    private void put(String name, byte[] content) throws IOException {
        if (written.add(name)) {
            jar.putNextEntry(new ZipEntry(name));
            jar.write(content);
            jar.closeEntry();
        }
    }
}
