package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import org.bytedeco.javacpp.Loader;
import org.dl4jsr.JavaProcess;
import org.junit.jupiter.api.Test;

class OneDnnLibraryTest {

    /** Two processes that load different ones write over each other's in JavaCPP's cache. */
    @Test
    void libgompIsNd4jsWhicheverLibraryLoadsFirst() {
        OneDnnLibrary.engine();
        String libgomp = Loader.getLoadedLibraries().get("gomp@.1");
        assertTrue(libgomp.contains("/org/nd4j/linalg/cpu/nativecpu/bindings/"), libgomp);
    }

    /** As in a server of applications, which start at the same time. */
    @Test
    void twoClassLoadersOfAProcessLoadIt() throws Exception {
        Process process = new ProcessBuilder(JavaProcess.command(
                        "-cp", System.getProperty("java.class.path"), OneDnnLibraryTest.class.getName()))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
    }

    /** The program of that test. */
    public static void main(String[] arguments) throws Exception {
        var classPath = new ArrayList<URL>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            classPath.add(Path.of(entry).toUri().toURL());
        }
        var loads = new ArrayList<CompletableFuture<Void>>();
        for (int i = 0; i < 2; i++) {
            var loader = new URLClassLoader(classPath.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
            loads.add(CompletableFuture.runAsync(() -> load(loader), task -> new Thread(task).start()));
        }
        loads.forEach(CompletableFuture::join);
    }

    private static void load(ClassLoader loader) {
        try {
            Class.forName(OneDnnLibrary.class.getName(), true, loader);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
