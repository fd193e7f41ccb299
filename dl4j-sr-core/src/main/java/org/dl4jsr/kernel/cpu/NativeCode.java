package org.dl4jsr.kernel.cpu;

import java.io.IOException;
import org.bytedeco.javacpp.Loader;
import org.dl4jsr.kernel.RootCause;

/** Whether native libraries came with the class path, and what to say where one does not load. */
final class NativeCode {

    private NativeCode() {}

    /** Whether {@code library} of this platform is on the class path, in a folder such as {@code /org/bytedeco/dnnl}. */
    static boolean isPackaged(String folder, String library) {
        String file = folder + "/" + Loader.getPlatform() + "/" + System.mapLibraryName(library);
        return NativeCode.class.getResource(file) != null;
    }

    /**
     * What to throw where packaged native code does not load: slower code never takes its place in silence.
     *
     * @param what does not load, with its verb
     */
    static IllegalStateException failure(String what, LinkageError error) {
        return new IllegalStateException(
                what + " not load: " + RootCause.of(error) + "." + remedy()
                        + " To run on Java kernels, far slower, set -D" + CpuKernels.LEVEL_PROPERTY + "="
                        + CpuKernels.JAVA,
                error);
    }

    /** The lines for the pom where another JavaCPP than the one that the libraries are made for is on the class path. */
    private static String remedy() {
        String javacpp = version("javacpp");
        String dnnl = version("dnnl");
        if (javacpp == null || dnnl == null || dnnl.endsWith("-" + javacpp)) {
            return "";
        }
        String made = dnnl.substring(dnnl.lastIndexOf('-') + 1);
        return " JavaCPP on the class path is " + javacpp + ", and the libraries are made for " + made
                + ": declare dl4j-sr-core before nd4j-native, or add to the pom's <dependencyManagement><dependencies>"
                + " <dependency><groupId>org.bytedeco</groupId><artifactId>javacpp</artifactId><version>" + made
                + "</version></dependency>.";
    }

    /** Of one of bytedeco's jars; null where a jar that has been put together from it does not say. */
    private static String version(String artifact) {
        try {
            return Loader.getVersion("org.bytedeco", artifact);
        } catch (IOException e) {
            return null;
        }
    }
}
