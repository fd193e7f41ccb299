package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;

class OneDnnLibraryTest {

    /** Two processes that load different ones write over each other's in JavaCPP's cache. */
    @Test
    void libgompIsNd4jsWhicheverLibraryLoadsFirst() {
        OneDnnLibrary.engine();
        String libgomp = Loader.getLoadedLibraries().get("gomp@.1");
        assertTrue(libgomp.contains("/org/nd4j/linalg/cpu/nativecpu/bindings/"), libgomp);
    }
}
