package org.dl4jsr.examples;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * The default corpus: the Java sources of nd4j-api, a jar that Maven resolves and that lies on the class path. Each
 * file's licence header, 6% of the text and always the same, is left out.
 */
final class JavaSources {

    /** How the corpus is called in tables and in {@code config.json}. */
    static final String NAME = "nd4j-api sources";

    private static final String SOME_SOURCE = "org/nd4j/linalg/factory/Nd4j.java";

    private JavaSources() {}

    static List<Document> documents() {
        URL url = JavaSources.class.getClassLoader().getResource(SOME_SOURCE);
        if (url == null) {
            throw new BadInput("The default corpus, nd4j-api's sources jar, is not on the class path: "
                    + "run from target/ as Maven built it, or give --text");
        }
        try {
            JarURLConnection connection = (JarURLConnection) url.openConnection();
            JarFile jar = connection.getJarFile();
            return jar.stream()
                    .filter(entry -> entry.getName().endsWith(".java"))
                    .sorted(Comparator.comparing(JarEntry::getName))
                    .map(entry -> new Document(entry.getName(), () -> read(jar, entry)))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(JarFile jar, JarEntry entry) {
        try (InputStream in = jar.getInputStream(entry)) {
            return withoutLicence(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@code source} less a block comment at its start and the blank lines after it. */
    static String withoutLicence(String source) {
        String text = source.stripLeading();
        int end = text.startsWith("/*") ? text.indexOf("*/") : -1;
        return end < 0 ? source : text.substring(end + 2).stripLeading();
    }
}
