package org.dl4jsr.kernel.cpu;

import java.net.URL;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * Which libgomp is loaded, and how its threads wait. By default they spin at every barrier, for up to milliseconds,
 * which costs nothing on an idle machine and an order of magnitude on a busy one.
 */
@Platform(include = "<stdlib.h>")
public final class OpenMpSettings {

    private static final String ND4J_BINDINGS = "/org/nd4j/linalg/cpu/nativecpu/bindings/";

    private static final String SPIN_COUNT = "GOMP_SPINCOUNT";

    private OpenMpSettings() {}

    /**
     * Makes OpenMP threads sleep after 10,000 spins, unless OMP_WAIT_POLICY or GOMP_SPINCOUNT is set. libgomp reads its
     * settings when it is loaded, so call this before any library that needs it: ND4J's, oneDNN's and our own. Does
     * nothing where dl4j-sr's native libraries do not load: whoever needs them is told why.
     */
    public static void limitSpinning() {
        if (System.getenv("OMP_WAIT_POLICY") != null || System.getenv(SPIN_COUNT) != null) {
            return;
        }
        try {
            Loader.load(OpenMpSettings.class);
            setenv(SPIN_COUNT, "10000", 0);
        } catch (LinkageError e) {
            // then nothing of ours loads, and the kernels' loading says why
        }
    }

    /**
     * Loads ND4J's libgomp, where nd4j-native is on the class path, whichever library asks for one first: processes that
     * load another one change the files of each other in JavaCPP's cache. Spinning is limited before.
     */
    static void load() {
        limitSpinning();
        URL libgomp = OpenMpSettings.class.getResource(ND4J_BINDINGS + Loader.getPlatform() + "/libgomp.so.1");
        if (libgomp != null) {
            try {
                Loader.loadLibrary(OpenMpSettings.class, new URL[] {libgomp}, "gomp@.1");
            } catch (UnsatisfiedLinkError e) {
                // it is there for another class loader of this process, or whoever needs it is told why it is not
            }
        }
    }

    private static native int setenv(String name, String value, int overwrite);
}
